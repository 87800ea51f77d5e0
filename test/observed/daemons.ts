/**
 * cron and sshd as Debian ships them, for one test: unpacked, not installed, because to install a daemon is to start it
 * on the machine of whoever runs the tests. They see a mount namespace of their own, and sshd listens on loopback.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { unpackDebian } from '../support/debian-packages.ts';

const cache = resolve(import.meta.dirname, '../../.cache/daemons');
const packages = ['cron', 'openssh-server', 'openssh-client', 'libwrap0'];

/** Root of the unpacked files. */
async function unpacked(): Promise<string> {
  if (existsSync(cache)) return cache;
  mkdirSync(join(cache, '..'), { recursive: true });
  const work = mkdtempSync(`${cache}-`);
  try {
    const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
    await unpackDebian(packages, { suite: 'bookworm', architecture, work, tree: join(work, 'tree') });
    renameSync(join(work, 'tree'), cache);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return cache;
}

/**
 * What cron and sshd find instead of the machine's own: pid files, crontabs, a user for sshd, a PAM that permits, and a
 * sendmail that puts each mail into a file. `exec` leaves the daemon as the only process.
 */
const place = `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /var/spool
[ -e /var/run ] || ln -s /run /var/run
mount -t tmpfs tmpfs /var/spool
mkdir -p /var/spool/cron/crontabs
[ ! -e crontab ] || cp crontab /var/spool/cron/crontabs/root
chmod -R go= /var/spool/cron/crontabs
[ ! -d /etc/cron.d ] || mount -t tmpfs tmpfs /etc/cron.d
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
mkdir -p /etc/pam.d
mount -t tmpfs tmpfs /etc/pam.d
for kind in auth account session; do echo "$kind required pam_permit.so"; done > /etc/pam.d/other
mount --bind passwd /etc/passwd
[ ! -e /etc/shadow ] || mount --bind shadow /etc/shadow
mount -t tmpfs tmpfs /usr/sbin
cp sendmail /usr/sbin/sendmail
exec "$@"
`;

export class Daemons implements AsyncDisposable {
  readonly #folder: string;
  readonly #tree: string;
  readonly #running: ChildProcess[] = [];
  #port = 0;

  private constructor(folder: string, tree: string) {
    this.#folder = folder;
    this.#tree = tree;
  }

  /** sshd is ready when it resolves. `folder` is an empty one for their files. Needs root, and a mount namespace. */
  static async open(folder: string): Promise<Daemons> {
    const daemons = new Daemons(folder, await unpacked());
    const users = readFileSync('/etc/passwd', 'utf8');
    const privsep = users.includes('\nsshd:') ? '' : 'sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n';
    daemons.#write('passwd', users.replace(/\n*$/, '\n') + privsep);
    // sshd lets nobody in as root where that account is locked, as it is on many desktops.
    daemons.#write('shadow', 'root:*:19000:0:99999:7:::\n', 0o600);
    mkdirSync(join(folder, 'mails'));
    daemons.#write(
      'sendmail',
      `#!/bin/sh\ncat > '${folder}/mail.'$$\nmv '${folder}/mail.'$$ '${folder}/mails'\n`,
      0o755,
    );
    await daemons.#openSsh();
    return daemons;
  }

  /** Runs each command once, at once, as cron does after the start of a machine. */
  startCron(commands: readonly string[]): void {
    this.#write('crontab', commands.map((command) => `@reboot ${command}\n`).join(''), 0o600);
    this.#start([join(this.#tree, 'usr/sbin/cron'), '-f']);
  }

  /** What cron has mailed so far. */
  mails(): string[] {
    const folder = join(this.#folder, 'mails');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  /** Runs a command over ssh: its code as sshd tells it, null before that, and what it has printed so far. */
  ssh(command: string): { readonly code: () => string | null; readonly output: () => string } {
    let output = '';
    const ssh = this.#own(this.#client(command));
    ssh.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    return { code: () => ssh.exitCode?.toString() ?? null, output: () => output };
  }

  /** None of them has ended. */
  get areAlive(): boolean {
    return this.#running.every((daemon) => daemon.exitCode === null && daemon.signalCode === null);
  }

  async #openSsh(): Promise<void> {
    for (const name of ['host', 'user'])
      execFileSync(join(this.#tree, 'usr/bin/ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#folder, name)]); // prettier-ignore
    // Another program may take the port between the two calls.
    for (;;) {
      this.#port = await freePort();
      const lines = [`ListenAddress 127.0.0.1:${this.#port}`, `HostKey ${this.#folder}/host`, `AuthorizedKeysFile ${this.#folder}/user.pub`, 'StrictModes no', 'PermitRootLogin yes', 'UsePAM no', 'PidFile none', 'MaxStartups 100']; // prettier-ignore
      this.#write('sshd_config', lines.join('\n'), 0o600);
      const sshd = this.#start([
        join(this.#tree, 'usr/sbin/sshd'),
        '-D',
        '-e',
        '-f',
        join(this.#folder, 'sshd_config'),
      ]);
      while (sshd.exitCode === null && !(await this.#answers())) await delay(20);
      if (sshd.exitCode === null) return;
      this.#running.pop();
    }
  }

  async #answers(): Promise<boolean> {
    return new Promise((resolve) => this.#client('true').once('exit', (code) => resolve(code === 0)));
  }

  #client(command: string): ChildProcess {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes'].flatMap((o) => ['-o', o]); // prettier-ignore
    const args = ['-F', 'none', '-i', join(this.#folder, 'user'), '-p', String(this.#port), ...options];
    return spawn(join(this.#tree, 'usr/bin/ssh'), [...args, 'root@127.0.0.1', command], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  #start(command: readonly string[]): ChildProcess {
    const libraries = readdirSync(join(this.#tree, 'usr/lib'))
      .map((name) => join(this.#tree, 'usr/lib', name))
      .join(':');
    const daemon = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', place, 'sh', ...command], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: libraries },
      stdio: 'ignore',
      detached: true,
    });
    this.#running.push(daemon);
    return this.#own(daemon);
  }

  readonly #ended: Promise<unknown>[] = [];

  #own(child: ChildProcess): ChildProcess {
    this.#ended.push(new Promise((done) => child.once('exit', done)));
    return child;
  }

  #write(name: string, text: string, mode = 0o644): void {
    writeFileSync(join(this.#folder, name), text, { mode });
  }

  /** Their sessions and jobs must have ended: a test waits for the reports of all. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid } of this.#running) if (pid !== undefined) kill(pid);
    await Promise.all(this.#ended);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
