/** The scripts that the scenarios start: `simulant.js KIND ARGS…`. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOutsideJob } from '../../../app/processes/windows/start-outside-job.ts';

const [kind = '', ...args] = process.argv.slice(2);
const self = process.argv[1]!;
const print = (text: string): void => writeFileSync(1, `${text}\n`);
const stay = (): void => void setInterval(() => undefined, 1_000);

const kinds: Record<string, () => void> = {
  exit: () => process.exit(Number(args[0])),
  stay() {
    print(`ready ${process.pid}`);
    stay();
  },
  /** Ends by itself after a number of milliseconds, with a code. */
  later() {
    print('ready');
    setTimeout(() => process.exit(Number(args[1])), Number(args[0]));
  },
  /** Ends when a file is there, with a code. */
  told() {
    print('ready');
    setInterval(() => existsSync(args[0]!) && process.exit(Number(args[1])), 20);
  },
  bytes: () => writeFileSync(1, Buffer.from(args[0]!, 'hex')),
  arguments: () => print(JSON.stringify(args)),
  environment: () => print(JSON.stringify(process.env)),
  /** Answers Ctrl-C in its own way. */
  polite() {
    process.on('SIGINT', () => {
      print('got SIGINT');
      process.exit(23);
    });
    process.on('SIGBREAK', () => {
      print('got SIGBREAK');
      process.exit(24);
    });
    print('ready');
    stay();
  },
  /** Counts Ctrl-C and goes on. */
  stubborn() {
    let count = 0;
    process.on('SIGINT', () => print(`ignored ${++count}`));
    process.on('SIGBREAK', () => print('ignored SIGBREAK'));
    print('ready');
    stay();
  },
  lines() {
    for (let i = 0; i < Number(args[1]); i++) print(`${args[0]} ${i}`);
  },
  busy() {
    print('ready');
    for (;;) Math.sqrt(Math.random());
  },
  /** A child and a grandchild that stay. */
  family() {
    const child = spawn(process.execPath, [self, args[0] === 'child' ? 'stay' : 'family', 'child'], {
      stdio: 'inherit',
    });
    print(`parent ${process.pid} of ${child.pid}`);
    stay();
  },
  /** Starts a program outside of the job: as a host (`none`), or as one that keeps the run's cookie. */
  background() {
    const environment = {
      ...(process.env as Record<string, string>),
      ...(args[0] === 'host' ? { UNJAM_RUN: 'none' } : {}),
    };
    const started = startOutsideJob({
      file: process.execPath,
      args: [self, 'stay'],
      cwd: process.cwd(),
      environment,
      log: null,
    });
    print(`background ${started.pid} ${started.left ? 'left' : 'kept in'}`);
    stay();
  },
  /** Leaves a process behind whose parent is gone, and ends. */
  orphan() {
    const shell = join(process.env['SystemRoot'] ?? 'C:\\windows', 'System32', 'cmd.exe');
    const child = spawn(shell, ['/d', '/s', '/c', `start "" /b "${process.execPath}" "${self}" stay`], {
      stdio: 'inherit',
      windowsVerbatimArguments: true,
    });
    child.on('exit', () => process.exit(0));
  },
};

const act = kinds[kind];
if (!act) throw new Error(`There is no simulant "${kind}".`);
act();
