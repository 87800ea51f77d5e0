/** The command line: one file per command, this one only names them. */
import { Command, CommanderError, Option } from 'commander';
import type { HoldOptions } from './hold.ts';
import { exitUsage, fail } from './output.ts';
import { addScriptOptions, type ScriptOptions } from './script-options.ts';
import { version } from '../version.ts';

const program = new Command('unjam')
  .description('Frees a deployment host whose script hangs and keeps its isolation mutex.')
  .version(version)
  .enablePositionalOptions()
  .exitOverride()
  .showHelpAfterError('Next: see "unjam --help" or "unjam <command> --help".');

const json = ['--json', 'print JSON'] as const;

addScriptOptions(
  program.command('run').description('start a script, follow its log, exit with its code; Ctrl-C cancels it'),
).action(async (command: string[], options: ScriptOptions) => (await import('./run.ts')).run(command, options));
addScriptOptions(program.command('start').description('start a script and print its ticket'))
  .option(...json)
  .action(async (command: string[], options: ScriptOptions) => (await import('./start.ts')).start(command, options));
program
  .command('ps')
  .description('scripts with state, pid, mutex, whom they block, age, last output')
  .option('-a, --all', 'finished ones too')
  .option(...json)
  .action(async (options: { all?: boolean; json?: boolean }) => (await import('./ps.ts')).ps(options));
program
  .command('status <ticket>')
  .description('one script in full')
  .option(...json)
  .action(async (ticket: string, options: { json?: boolean }) => (await import('./status.ts')).status(ticket, options));
program
  .command('why <ticket>')
  .description('what a script waits for, with the evidence')
  .option(...json)
  .action(async (ticket: string, options: { json?: boolean }) => (await import('./why.ts')).why(ticket, options));
program
  .command('logs <ticket>')
  .description('the log: the script’s bytes as they were, stderr marked "E| ", lines of Unjam marked "Unjam"')
  .option('-f, --follow', 'go on until the script is final')
  .option('--stream <stream>', 'only stdout, stderr or unjam')
  .option('--since <seq>', 'only what came after this sequence number')
  .option('--search <text>', 'only lines with this text')
  .option('--regex', 'what is searched for is a regular expression')
  .option('--ignore-case', 'upper and lower case are the same')
  .option('--raw', 'the bytes alone, without marks')
  .option(...json)
  .action(async (ticket: string, options: Record<string, never>) => (await import('./logs.ts')).logs(ticket, options));
for (const [name, about] of [
  ['cancel', 'ask a script to stop; after the grace what is left is ended, unless --no-escalate'],
  ['kill', 'Force Kill: end the whole tree, and prove it'],
  ['abandon', 'release the mutex at once; ends nothing'],
] as const) {
  const command = program
    .command(`${name} <ticket>`)
    .description(about)
    .option('--reason <text>', 'for the history')
    .option('-y, --yes', 'do not ask')
    .option(...json);
  if (name === 'cancel')
    command
      .option('--grace <time>', 'time to exit (default: the script’s own, 10s)')
      .option('--signal <signal>', 'another signal than the script’s own')
      .option('--no-escalate', 'never force: it becomes "Cancel ignored"');
  if (name === 'abandon') command.option('--hold-queue', 'keep the mutex paused until "unjam locks resume"');
  command.action(async (ticket: string, options: Record<string, never>) =>
    (await import('./verbs.ts'))[name](ticket, options),
  );
}
program
  .command('complete <ticket>')
  .description('remove a finished script’s run directory')
  .option(...json)
  .action(async (ticket: string, options: { json?: boolean }) =>
    (await import('./complete.ts')).complete(ticket, options),
  );
const locks = program
  .command('locks')
  .description('mutexes, holders and queues')
  .option(...json)
  .action(async (options: { json?: boolean }) => (await import('./locks.ts')).locks(options));
locks
  .command('resume <mutex>')
  .description('let a held queue go on')
  .option(...json)
  .action(async (name: string, options: { json?: boolean }) => (await import('./locks.ts')).resume(name, options));
program
  .command('hold')
  .description('run a command while it holds a mutex, as flock(1) does; no host is needed, nobody supervises it')
  .argument('[command...]', 'the command and its arguments, after "--"')
  .option('--mutex <mutex>', 'isolation mutex: letters, digits, space, . _ - @ #')
  .option('--isolation <level>', 'full = exclusive (default), none or shared = shared')
  .option('--timeout, --mutex-timeout <time>', 'how long to wait for the mutex: 10ms to 1d (default: for ever)')
  .option('--inherit-hold', 'run under the hold of the script that this is started from (else: a deadlock)')
  .option('--name <name>', 'what people see who wait for it')
  .passThroughOptions()
  .action(async (command: string[], options: HoldOptions) => (await import('./hold.ts')).hold(command, options));
program
  .command('history')
  .description('the journal: what happened and who did it')
  .option('--since <time>', 'how far back (default 24h)')
  .option('--ticket <ticket>', 'only one script')
  .option('--csv', 'print CSV')
  .option(...json)
  .action(async (options: { since?: string; ticket?: string; csv?: boolean; json?: boolean }) =>
    (await import('./history.ts')).history(options),
  );
program
  .command('drill')
  .description('practise: a harmless script that ignores Cancel, with a queue behind it')
  .option('--minutes <minutes>', 'it ends by itself after this (default 15)')
  .option(...json)
  .action(async (options: { minutes?: string; json?: boolean }) => (await import('./drill.ts')).drill(options));
program
  .command('doctor')
  .description('try what a deployment needs on this machine, and say what is missing')
  .option(...json)
  .action(async (options: { json?: boolean }) => (await import('./doctor.ts')).doctor(options));
program
  .command('serve')
  .description('the headless host; --console also serves the console to a browser')
  .option('--console', 'serve the console on a loopback port')
  .option('--port <port>', 'port of the console (default: any free one)')
  .option('--no-open', 'print the console’s address instead of opening it')
  .option('--take-over', 'ask the host that runs now to retire first; scripts go on')
  .addOption(new Option('--background', 'started by another command').hideHelp())
  .action(async (options: Record<string, never>) => (await import('./serve.ts')).serve(options));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitUsage;
  else fail(error, process.argv.includes('--json'));
}
