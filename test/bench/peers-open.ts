/** Unjam and other supervisors behind one face. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { World } from '../support/world.ts';
import { untilWarm } from './processes-measure.ts';

export interface Script {
  readonly name: string;
  readonly path: string;
  readonly cwd: string;
}

export interface Peer {
  readonly name: string;
  /** Of the daemon that watches the scripts. */
  readonly pid: number;
  /** Scripts that will be started; some want them in a configuration first. */
  know(scripts: readonly Script[]): Promise<void>;
  start(script: Script): Promise<void>;
  /** Resolves when the supervisor says that the script is over. */
  kill(script: Script): Promise<void>;
  /** Resolves when nothing is being prepared. */
  settled(): Promise<void>;
}

const cache = new URL('../../.cache/peers', import.meta.url).pathname;

/** One after the other, each with a state of its own that is gone afterwards. */
export async function* openPeers(folder: string): AsyncGenerator<Peer> {
  yield* unjam();
  yield* pm2(folder);
  yield* supervisord(folder);
  yield* systemdRun();
}

async function* unjam(): AsyncGenerator<Peer> {
  await using world = await World.open();
  const tickets = new Map<string, string>();
  yield {
    name: 'unjam',
    pid: world.hostPid,
    know: () => Promise.resolve(),
    async start({ name, path, cwd }) {
      const { ticket } = await world.client.call('scripts.start', { command: ['bash', path], cwd });
      tickets.set(name, ticket);
    },
    async kill({ name }) {
      const ticket = tickets.get(name) ?? '';
      await world.client.call('scripts.kill', { ticket });
      while (!existsSync(join(world.home, 'runs', ticket, 'verdict.json'))) await delay(1);
    },
    settled: () => untilWarm(world),
  };
}

interface Pm2 {
  connect(done: (error: Error | null) => void): void;
  start(options: object, done: (error: Error | null) => void): void;
  delete(name: string, done: (error: Error | null) => void): void;
  disconnect(): void;
}

async function* pm2(folder: string): AsyncGenerator<Peer> {
  const home = join(folder, 'pm2');
  process.env['PM2_HOME'] = home;
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, 'node_modules/pm2')))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', cache, 'pm2@7.0.4'], { stdio: 'ignore' });
  const api = createRequire(join(cache, 'index.js'))('pm2') as Pm2;
  const call = (act: (done: (error: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())));
  await call((done) => api.connect(done));
  try {
    yield {
      name: 'pm2',
      pid: Number(readFileSync(join(home, 'pm2.pid'), 'utf8')),
      know: () => Promise.resolve(),
      start: ({ name, path, cwd }) =>
        call((done) =>
          api.start({ name, script: '/bin/bash', args: [path], interpreter: 'none', autorestart: false, cwd }, done),
        ),
      kill: ({ name }) => call((done) => api.delete(name, done)),
      settled: () => Promise.resolve(),
    };
  } finally {
    await call((done) => api.delete('all', done)).catch(() => undefined);
    api.disconnect();
    process.kill(Number(readFileSync(join(home, 'pm2.pid'), 'utf8')), 'SIGKILL');
  }
}

/** XML-RPC on its Unix socket; programs are read from a file at its start. */
async function* supervisord(folder: string): AsyncGenerator<Peer> {
  if (!existsSync('/usr/bin/supervisord')) return console.log('supervisord: not installed');
  const socket = join(folder, 'supervisor.sock');
  const configuration = join(folder, 'supervisord.conf');
  const daemons: ReturnType<typeof spawn>[] = [];
  const call = (method: string, params: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request({ socketPath: socket, path: '/RPC2', method: 'POST' }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => (text.includes('<fault>') ? reject(new Error(text)) : resolve(text)));
      });
      sent.on('error', reject);
      sent.end(`<methodCall><methodName>supervisor.${method}</methodName><params>${params}</params></methodCall>`);
    });
  const named = (name: string): string =>
    `<param><value><string>${name}</string></value></param><param><value><boolean>0</boolean></value></param>`;
  const waited = (name: string): string => named(name).replace('<boolean>0', '<boolean>1');
  try {
    const peer = {
      name: 'supervisord',
      pid: 0,
      async know(scripts: readonly Script[]) {
        const programs = scripts.map(
          ({ name, path, cwd }) =>
            `[program:${name}]\ncommand=/bin/bash ${path}\ndirectory=${cwd}\nautostart=false\nautorestart=false\nstartsecs=0\nstopsignal=KILL\nstopasgroup=true\nstdout_logfile=${path}.log\nstdout_logfile_maxbytes=0\n`,
        );
        writeFileSync(
          configuration,
          `[unix_http_server]\nfile=${socket}\n[supervisord]\nlogfile=${folder}/supervisord.log\npidfile=${folder}/supervisord.pid\nminfds=4096\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n${programs.join('')}`,
        );
        const daemon = spawn('/usr/bin/supervisord', ['-n', '-c', configuration], { stdio: 'ignore' });
        daemons.push(daemon);
        peer.pid = daemon.pid ?? 0;
        while ((await call('getState', '').catch(() => null)) === null) {
          if (daemon.exitCode !== null) throw new Error('supervisord does not start; run it by hand to see why.');
          await delay(10);
        }
      },
      start: async ({ name }: Script) => void (await call('startProcess', named(name))),
      kill: async ({ name }: Script) => void (await call('stopProcess', waited(name))),
      settled: () => Promise.resolve(),
    };
    yield peer;
  } finally {
    for (const daemon of daemons) {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await gone;
    }
  }
}

async function* systemdRun(): AsyncGenerator<Peer> {
  if (!existsSync('/run/systemd/system')) return console.log('systemd-run: systemd does not run here');
  const run = promisify(execFile);
  const unit = ({ name }: Script): string => `unjam-bench-${process.pid}-${name}`;
  const known: Script[] = [];
  try {
    yield {
      name: 'systemd-run',
      pid: 1,
      know: (scripts) => Promise.resolve(void known.push(...scripts)),
      start: async (one) =>
        void (await run('systemd-run', ['--quiet', '--collect', `--unit=${unit(one)}`, '/bin/bash', one.path])),
      kill: async (one) => void (await run('systemctl', ['kill', '--signal=KILL', unit(one)])),
      settled: () => Promise.resolve(),
    };
  } finally {
    for (const one of known) await run('systemctl', ['stop', unit(one)]).catch(() => undefined);
  }
}
