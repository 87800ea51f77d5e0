/** The commands and their options. Each command's own file is loaded when it runs. */
import { Command, Option } from 'commander';
import { cancelSignals } from '../domain/script.ts';
import { version } from '../version.ts';
import { type Elsewhere, elsewhereOptions, example, jsonOption, scriptOf } from './command.ts';
import { fleetCommands } from './fleet-program.ts';
import type { HoldOptions } from './hold.ts';
import type { LogsOptions } from './logs.ts';
import type { PsOptions } from './ps.ts';
import type { RunOptions } from './run.ts';
import type { ScriptOptions } from './script-options.ts';
import type { ServeOptions } from './serve.ts';
import type { VerbOptions } from './verbs.ts';

interface Json {
  json?: boolean;
}

type There = Json & Elsewhere;

const times = 'such as 500ms, 90s, 30m, 1h30m or 00:30:00; a bare number is seconds';

export function createProgram(): Command {
  const program = new Command('unjam')
    .description('Frees a deployment host whose script hangs and keeps its isolation mutex.')
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('Next: see "unjam --help" or "unjam <command> --help".');
  starting(program);
  looking(program);
  acting(program);
  accounts(program);
  fleetCommands(program);
  hosting(program);
  helping(program);
  return program;
}

function starting(program: Command): void {
  const run = program
    .command('run')
    .description('start a script, follow its log, exit with its exit code; Ctrl-C cancels it');
  scriptOptions(run)
    .option(
      '--cancel-with-caller',
      'cancel the script when this command is killed, also while no host runs (for agents that cancel by killing)',
    )
    .option(
      '--annotations <format>',
      'how the lines of Unjam stand in a job’s log: auto (default), none, github, azure, octopus, buildkite',
    )
    .action(async (command: string[], options: RunOptions) => (await import('./run.ts')).run(command, options));
  example(run, 'unjam run --mutex web --timeout 30m -- bash deploy.sh');
  const start = program.command('start').description('start a script and print its ticket');
  scriptOptions(start)
    .option('--json', 'print JSON')
    .action(async (command: string[], options: ScriptOptions) => (await import('./start.ts')).start(command, options));
  example(start, 'ticket=$(unjam start --mutex web -- bash deploy.sh)');
  const hold = program
    .command('hold')
    .description('run a command while it holds a mutex, as flock(1) does; works without a host; unsupervised')
    .argument('[command...]', 'the command and its arguments, after "--"')
    .option('--mutex <mutex>', 'isolation mutex: any name in one line, at most 128 characters')
    .option(
      '--scope <scope>',
      'who shares the mutex: host = this machine (default), fleet = every host that has joined',
    )
    .option('--isolation <level>', 'full = exclusive (default), none or shared = shared')
    .option(
      '--timeout, --mutex-timeout <time>',
      `how long to wait for the mutex, 10ms to 1d (default: forever); ${times}`,
    )
    .option('--inherit-hold', 'run under the hold of the script that starts this command (otherwise: a deadlock)')
    .option('--name <name>', 'name shown to those who wait for it')
    .passThroughOptions()
    .action(async (command: string[], options: HoldOptions) => (await import('./hold.ts')).hold(command, options));
  example(hold, 'unjam hold --mutex web -- bash deploy.sh');
  const checkFence = program
    .command('check-fence')
    .description('inside a script: exit with 0 when it still holds its mutex, 176 when not, 177 when it cannot be told')
    .action(async () => (await import('./check-fence.ts')).checkFence());
  example(checkFence, 'unjam check-fence && bash switch-over.sh');
}

function looking(program: Command): void {
  const ps = anywhere(
    program
      .command('ps')
      .description('scripts with state, PID, mutex, which scripts they block, age, last output')
      .option('-a, --all', 'finished ones too')
      .addOption(new Option('-w, --watch', 'print it again at every change, until Ctrl-C').conflicts('host')),
  ).action(async (options: PsOptions) => (await import('./ps.ts')).ps(options));
  example(ps, 'unjam ps --all');
  const status = anywhere(program.command('status <ticket>').description('one script in full')).action(
    scriptOf(async (ticket: string, options: There) => (await import('./status.ts')).status(ticket, options)),
  );
  example(status, 'unjam status 20261120-111918-3f9a2c');
  const wait = jsonOption(
    program.command('wait <ticket>').description('wait for the end of a script, and exit as "unjam run" would have'),
  ).action(async (ticket: string, options: Json) => (await import('./wait.ts')).wait(ticket, options));
  example(wait, 'unjam wait 20261120-111918-3f9a2c');
  const why = anywhere(
    program.command('why <ticket>').description('what a script waits for, with the evidence'),
  ).action(scriptOf(async (ticket: string, options: There) => (await import('./why.ts')).why(ticket, options)));
  example(why, 'unjam why 20261120-111918-3f9a2c');
  const logs = anywhere(
    program
      .command('logs <ticket>')
      .description('the log: the script’s output, stderr marked "E| ", lines of Unjam marked "Unjam "')
      .option('-f, --follow', 'keep printing until the script has ended')
      .option('-n, --tail <lines>', 'only the last so many lines')
      .option('--stream <stream>', 'only stdout, stderr or unjam')
      .option(
        '--since <time>',
        `only what came since: ${times.replace('; a bare number is seconds', '')} ago, or a sequence number`,
      )
      .option('--search <text>', 'only lines with this text; exit status 1 when there is none')
      .option('--regex', 'treat the text to search for as a regular expression')
      .option('--ignore-case', 'ignore case when searching')
      .option('--raw', 'the bytes alone, without marks'),
  ).action(scriptOf(async (ticket: string, options: LogsOptions) => (await import('./logs.ts')).logs(ticket, options)));
  example(logs, 'unjam logs 20261120-111918-3f9a2c --follow --tail 20');
  const agents = jsonOption(
    program.command('agents').description('deployment agents on this host, and the scripts that they run'),
  ).action(async (options: Json) => (await import('./observed.ts')).agents(options));
  example(agents, 'unjam agents');
  const locks = anywhere(program.command('locks').description('mutexes, holders and queues')).action(
    async (options: There) => (await import('./locks.ts')).locks(options),
  );
  example(locks, 'unjam locks');
  const resume = anywhere(locks.command('resume <mutex>').description('let a paused queue continue')).action(
    // What stands before "resume" counts too: else the queue of the wrong host would go on.
    async (name: string, _own: There, command: Command) =>
      (await import('./locks.ts')).resume(name, command.optsWithGlobals<There>()),
  );
  example(resume, 'unjam locks resume web');
  const metrics = program
    .command('metrics')
    .description('the host in numbers, in the text format of Prometheus')
    .action(async () => (await import('./metrics.ts')).metrics());
  example(metrics, 'unjam metrics > /var/lib/node_exporter/unjam.prom');
  const history = anywhere(
    program
      .command('history')
      .description('the journal: what happened and who did it')
      .option('--since <time>', `how far back (default 24h); ${times}`)
      .option('--ticket <ticket>', 'only one script')
      .option('--csv', 'print CSV'),
  ).action(async (options: There & { since?: string; ticket?: string; csv?: boolean }) =>
    (await import('./history.ts')).history(options),
  );
  example(history, 'unjam history --since 7d --csv > history.csv');
}

function acting(program: Command): void {
  const verb = (name: 'cancel' | 'kill' | 'abandon', about: string): Command =>
    anywhere(
      program
        .command(`${name} <ticket>`)
        .description(about)
        .option('--reason <text>', 'recorded in the history')
        .option('-y, --yes', 'do not ask'),
    ).action(
      scriptOf(async (ticket: string, options: VerbOptions) =>
        options.pid === undefined
          ? (await import('./verbs.ts'))[name](ticket, options)
          : (await import('./kill-process.ts')).killProcess(ticket, options.pid, options),
      ),
    );
  const noWait = ['--no-wait', 'return at once; do not wait for the outcome'] as const;
  example(
    verb('cancel', 'ask a script to stop; what is left after the grace period is killed, unless --no-escalate')
      .option('--grace <time>', `time to exit (default: the script’s own, 10s); ${times}`)
      .option('--signal <signal>', 'another signal than the script’s own')
      .option('--no-escalate', 'never force: it becomes "Cancel ignored"')
      .option(...noWait),
    'unjam cancel 20261120-111918-3f9a2c --grace 60s --reason INC-4711',
  );
  example(
    verb('kill', 'Force Kill: end the whole tree, and check that it is gone')
      .option('--pid <pid>', 'end only this process of the script; the rest keeps running')
      .option('--output-holders', 'of an observed script that has gone: end what holds its output open')
      .option(...noWait),
    'unjam kill 20261120-111918-3f9a2c',
  );
  example(
    verb('abandon', 'release the mutex at once; ends nothing').option(
      '--hold-queue',
      'keep the mutex paused until "unjam locks resume"',
    ),
    'unjam abandon 20261120-111918-3f9a2c --reason INC-4711',
  );
  const take = jsonOption(
    program
      .command('take <ticket>')
      .description('"I am on it": shown to everybody for an hour, or until the script ends; it locks nobody out')
      .option('--release', 'nobody is on it any more'),
  ).action(async (ticket: string, options: Json & { release?: boolean }) =>
    (await import('./take.ts')).take(ticket, options),
  );
  example(take, 'unjam take 20261120-111918-3f9a2c');
  const evidence = jsonOption(
    program
      .command('evidence <ticket>')
      .description(
        'save what is known of a script now as a zip: processes, wait reasons, open files, log, timeline; ends nothing',
      )
      .option('--output <file>', 'also write it into this file, which must not exist'),
  ).action(async (ticket: string, options: Json & { output?: string }) =>
    (await import('./evidence.ts')).evidence(ticket, options),
  );
  example(evidence, 'unjam evidence 20261120-111918-3f9a2c --output evidence.zip');
  const retry = jsonOption(
    program
      .command('retry <ticket>')
      .description(
        'start the command of a finished script again, as a new script in this environment; prints its ticket',
      ),
  ).action(async (ticket: string, options: Json) => (await import('./retry.ts')).retry(ticket, options));
  example(retry, 'unjam retry 20261120-111918-3f9a2c');
  const complete = anywhere(
    program.command('complete <ticket>').description('remove a finished script’s run directory'),
  ).action(
    scriptOf(async (ticket: string, options: There) => (await import('./complete.ts')).complete(ticket, options)),
  );
  example(complete, 'unjam complete 20261120-111918-3f9a2c');
  const drill = jsonOption(
    program
      .command('drill')
      .description('practise: a harmless script that ignores Cancel, with a queue behind it')
      .option('--minutes <minutes>', 'it ends by itself after this (default 15)'),
  ).action(async (options: Json & { minutes?: string }) => (await import('./drill.ts')).drill(options));
  example(drill, 'unjam drill --minutes 5');
}

function accounts(program: Command): void {
  const access = program.command('access').description('who may use this host, and as what');
  example(access, 'unjam access list');
  const listed = jsonOption(access.command('list').description('accounts and groups with their roles')).action(
    async (options: Json) => (await import('./access.ts')).list(options),
  );
  example(listed, 'unjam access list');
  const grant = jsonOption(
    access
      .command('grant <who> <role>')
      .description('give an account or a group a role: viewer looks, operator uses the three verbs, owner configures'),
  ).action(async (who: string, role: string, options: Json) => (await import('./access.ts')).grant(who, role, options));
  example(grant, 'unjam access grant group:oncall operator');
  const revoke = jsonOption(access.command('revoke <who>').description('take the role away')).action(
    async (who: string, options: Json) => (await import('./access.ts')).revoke(who, options),
  );
  example(revoke, 'unjam access revoke group:oncall');
  alerts(program);
  const service = program.command('service').description('the host as a service of this machine');
  example(service, 'unjam service status');
  const install = service
    .command('install')
    .description('start a host with the machine, as root or SYSTEM; people with a role reach it')
    .action(async () => (await import('./service.ts')).install());
  example(install, 'unjam service install');
  const state = jsonOption(service.command('status').description('state of the service')).action(
    async (options: Json) => (await import('./service.ts')).status(options),
  );
  example(state, 'unjam service status');
  const remove = service
    .command('remove')
    .description('end and remove the service; scripts keep running, and nothing they left is deleted')
    .action(async () => (await import('./service.ts')).remove());
  example(remove, 'unjam service remove');
}

function alerts(program: Command): void {
  const command = program
    .command('alerts')
    .description('set up alerts about stuck scripts: a command, a webhook or mail');
  example(command, 'unjam alerts list');
  const listed = jsonOption(
    command.command('list').description('the targets, what could not be delivered, and what is told as current'),
  ).action(async (options: Json) => (await import('./alerts.ts')).list(options));
  example(listed, 'unjam alerts list');
  const set = jsonOption(
    command.command('set <file>').description('use the targets of a file with a list in JSON; - is standard input'),
  ).action(async (file: string, options: Json) => (await import('./alerts.ts')).set(file, options));
  example(set, 'unjam alerts set alerts.json');
  const test = jsonOption(
    command
      .command('test')
      .description('send a test message to every target, and say what came of it')
      .option('--target <name>', 'only to this one'),
  ).action(async (options: Json & { target?: string }) => (await import('./alerts.ts')).test(options));
  example(test, 'unjam alerts test');
}

function hosting(program: Command): void {
  const doctor = jsonOption(
    program.command('doctor').description('check this machine for what a deployment needs, and say what is missing'),
  ).action(async (options: Json) => (await import('./doctor.ts')).doctor(options));
  example(doctor, 'unjam doctor');
  const open = jsonOption(
    program
      .command('open')
      .description(
        'open the console of the running host in the browser, with your role; its address works once, for you',
      )
      .option('--print', 'print the address instead of opening it'),
  ).action(async (options: Json & { print?: boolean }) => (await import('./open.ts')).open(options));
  example(open, 'unjam open --print');
  const serve = program
    .command('serve')
    .description('the headless host; --console also serves the console to a browser')
    .option('--console', 'serve the console on a loopback port')
    .option(
      '--port <port>',
      'port of the console (default: one that stays the same for a state directory, if it is free)',
    )
    .option('--no-open', 'print the console’s address instead of opening it')
    .option('--take-over', 'ask the host that runs now to retire first; scripts keep running')
    .option('--stop', 'ask the host that runs now to end, and start none; scripts keep running')
    .addOption(new Option('--background', 'started by another command').hideHelp())
    .action(async (options: ServeOptions) => (await import('./serve.ts')).serve(options));
  example(serve, 'unjam serve --console --no-open');
}

function helping(program: Command): void {
  const completion = program
    .command('completion <shell>')
    .description('print the completion script for bash, zsh, fish or powershell')
    .action(async (shell: string) => (await import('./completion.ts')).completion(shell, program));
  example(completion, 'unjam completion bash > /etc/bash_completion.d/unjam');
}

const anywhere = (command: Command): Command => elsewhereOptions(jsonOption(command));

const collect = (value: string, all: string[] | undefined): string[] => [...(all ?? []), value];

function scriptOptions(command: Command): Command {
  return command
    .argument('[command...]', 'the command and its arguments, after "--"')
    .option('--name <name>', 'display name, for instance "Deploy web / step 4"')
    .option('--mutex <mutex>', 'isolation mutex: any name in one line, at most 128 characters')
    .option(
      '--scope <scope>',
      'who shares the mutex: host = this machine (default), fleet = every host that has joined',
    )
    .option('--isolation <level>', 'full = exclusive (default with --mutex), none = shared')
    .option('--mutex-timeout <time>', 'how long to wait for the mutex: 10ms to 1d (default: forever)')
    .option('--inherit-hold', 'run under the hold of the script that starts this one (otherwise: a deadlock)')
    .option('--timeout <time>', `overall time limit: 10ms to 1d; ${times}`)
    .option('--first-output-timeout <time>', 'end a script that has written nothing this long after its launch')
    .addOption(positive('--no-output-timeout <time>', 'end the script after this long without output'))
    .option('--cancel-signal <signal>', `what Cancel sends: ${cancelSignals.join(', ')}`)
    .option('--grace <time>', 'time to exit after Cancel before it is killed (default 10s)')
    .option('--ticket <ticket>', 'your own id; the same ticket never runs twice')
    .option('--cwd <folder>', 'working folder (default: this one)')
    .option('--env <name=value>', 'add a variable to the script’s environment; may be repeated', collect)
    .option('--mask-env <name>', 'hide this variable’s value in what Unjam writes and shows; may be repeated', collect)
    .option('--notify <command>', 'run once when the script has ended; or http://127.0.0.1:PORT/… to post to')
    .option('--cleanup <command>', 'run when the script’s processes have gone, before its mutex is released')
    .option(
      '--cleanup-when <when>',
      'cancel = after Cancel, Force Kill or a limit (default); failure = also after an exit code other than 0; always',
    ) // prettier-ignore
    .option('--cleanup-timeout <time>', 'time limit of the clean-up (default 1m); what it leaves is killed')
    .passThroughOptions();
}

/** commander reads every `--no-x` as the negation of `--x` and drops its value (commander.js#1806); this one takes a value. */
function positive(flags: string, about: string): Option {
  const option = new Option(flags, about);
  option.negate = false;
  return option;
}
