/** Odd places and limits: each works, or says in one sentence what is wrong and what to do; no stack, no spin. */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canMount } from '../support/small-disk.ts';
import { type CliResult, root, World } from '../support/world.ts';

const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const program = join(root, 'dist/cli.js');
/** Without a name on this machine. */
const [user, otherUser] = [61_234, 61_235];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'unjam-place-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Runs a shell script in a mount namespace of its own, in which `unjam` is the command line; what it mounts is gone afterwards. */
function shell(script: string, environment: NodeJS.ProcessEnv = {}, isolated = true): Promise<CliResult> {
  const command = `unjam() { "${process.execPath}" "${program}" "$@"; }\n${script}`;
  const [file, args] = isolated ? ['unshare', ['-m', 'bash', '-c', command]] : ['bash', ['-c', command]];
  return new Promise((resolve) => {
    execFile(file, args, { cwd: '/', env: { ...process.env, ...environment } }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

/** One sentence that says this, and the next step. */
const sentence = (says: RegExp): RegExp =>
  new RegExp(`^unjam: [^\\n]*${says.source}[^\\n]*\\nNext: (?!Report)[^\\n]+\\n$`);

describe.runIf(onLinux)('a state directory that cannot be one', () => {
  test.each([
    ['in /proc', () => '/proc/x', 'no folder can be made in "/proc"'],
    ['in a process', () => '/proc/self/x', 'no folder can be made in "/proc/self"'],
    ['a device', () => '/dev/null', 'it is no folder'],
    ['below a device', () => '/dev/null/x', '"/dev/null" is no folder'],
    ['a file', () => (writeFileSync(join(at(), 'file'), ''), join(at(), 'file')), 'it is no folder'],
    ['a link to nowhere', () => linked('nowhere', 'link'), 'does not exist'],
    ['below a link to nowhere', () => join(linked('nowhere', 'link'), 'x'), 'does not exist'],
    ['a link to itself', () => linked('link', 'link'), 'its links form a loop'],
  ])('%s', async (_, make, says) => {
    here = folder();
    const home = make();
    for (const command of ['unjam ps', 'unjam hold --mutex db -- echo ran', 'unjam serve']) {
      const ended = await shell(command, { UNJAM_HOME: home }, false);
      expect(ended, command).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr, command).toMatch(/^unjam: The state directory [^\n]+\nNext: [^\n]+ \(state-directory\)\n$/);
      if (command !== 'unjam ps') expect(ended.stderr).toMatch(/no folder|not a folder|does not exist|is a link/);
      else expect(ended.stderr).toContain(says);
    }
  });
  let here = '';
  const at = (): string => here;
  const linked = (to: string, name: string): string => (
    symlinkSync(join(here, to), join(here, name)),
    join(here, name)
  );
});

describe.runIf(onLinux && isRoot && canMount)('a disk that', () => {
  const disk = (options: string, more: string): Promise<CliResult> =>
    shell(`mount -t tmpfs -o ${options} tmpfs "$AT" && export UNJAM_HOME="$AT/home" && ${more}`, { AT: folder() });
  const fill = `i=0; while : >"$AT/f$i"; do i=$((i+1)); done 2>/dev/null;`;

  test('has no inode left: says that, not "free space"; and works when there are some', async () => {
    const { stdout, stderr } = await disk(
      'nr_inodes=150',
      `${fill} unjam ps; unjam hold --mutex db -- echo no; rm "$AT"/f*; unjam hold --mutex db -- echo yes`,
    );
    expect(stdout).toBe('yes\n');
    expect(stderr.match(/no inode left for another file[^\n]*\nNext: Remove files from it/g)).toHaveLength(2);
  });

  test('has no inode left while a script runs: nothing new starts, Force Kill ends what runs, and the next one gets the mutex', async () => {
    const { stdout, stderr } = await disk(
      'nr_inodes=150',
      `unjam start --ticket a --mutex db -- sleep 3600; unjam start --ticket b --mutex db -- true; until [ -e "$UNJAM_HOME/reserve" ]; do sleep .05; done; ${fill}
       unjam run -- echo no; echo "run $?"; unjam kill a --yes 2>/dev/null; echo "kill $?"; rm "$AT"/f*; unjam wait b; echo "wait $?"; unjam serve --stop`,
    );
    expect(stdout).toMatch(/^a\nb\nrun 1\n(?:a: [^\n]+\n)?kill 0\n[^]*wait 0\n$/);
    expect(stderr).toContain('no inode left for another file');
    expect(stderr).not.toContain('Report this');
  });

  test('is full', async () => {
    const { stderr } = await disk(
      'size=64k',
      'head -c 1M /dev/zero >"$AT/big" 2>/dev/null; mkdir -m 700 "$AT/home" 2>/dev/null; unjam hold --mutex db -- echo no',
    );
    expect(stderr).toMatch(sentence(/[Tt]he disk is full \(ENOSPC/));
  });

  test('is read-only', async () => {
    const { stdout, stderr } = await disk(
      'size=1m',
      'mkdir -m 700 "$AT/home" && mount -o remount,ro "$AT" && unjam hold --mutex db -- echo no',
    );
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence(/its file system is read-only/));
  });

  test.each([
    ['forbids programs', 'mount -t tmpfs -o noexec,nosuid,nodev tmpfs "$AT"'],
    [
      'is an overlay',
      'mount -t tmpfs tmpfs "$AT"; mkdir "$AT"/{l,u,w,m}; mount -t overlay overlay -o lowerdir="$AT/l,upperdir=$AT/u,workdir=$AT/w" "$AT/m"; AT="$AT/m"',
    ],
    ['is reached through a link', 'mount -t tmpfs tmpfs "$AT"; mkdir "$AT/v"; ln -s "$AT/v" "$AT/home"'],
  ])('%s: works', async (_, mount) => {
    const { stdout } = await shell(
      `${mount}; export UNJAM_HOME="$AT/home"; unjam run --mutex db -- echo ran 2>/dev/null; unjam ps; unjam serve --stop`,
      { AT: folder() },
    );
    expect(stdout).toMatch(/^ran\nNothing is running/);
  });

  test('is mounted twice: both names are one place, and one mutex', async () => {
    const { stdout } = await shell(
      `mkdir "$AT"/{a,b}; mount --bind "$AT/a" "$AT/b"; export UNJAM_HOME="$AT/a/home"
       unjam start --ticket t --mutex db -- sleep 3600; UNJAM_HOME="$AT/b/home" unjam hold --mutex db --mutex-timeout 100ms -- echo SECOND 2>/dev/null; echo "hold $?"; unjam kill t --yes >/dev/null 2>&1; unjam serve --stop`,
      { AT: folder() },
    );
    expect(stdout).toBe('t\nhold 172\n');
  });
});

describe.runIf(onLinux)('a state directory', () => {
  const long = `${'l'.repeat(120)}/${'m'.repeat(120)}`;
  test.each([
    ['with blanks and a line feed', 'a b\nc'],
    ['with bytes that are no UTF-8', '\\xff\\xfe'],
    ['that is a word of the shell', "it's $(id)"],
    ['with a long path', long],
  ])('%s works', async (_, name) => {
    const at = folder();
    const { stdout } = await shell(
      `export UNJAM_HOME="$AT/$(printf '%b' "$NAME")"; unjam run --mutex db -- echo ran 2>/dev/null; unjam ps; unjam serve --stop`,
      { AT: at, NAME: name },
      false,
    );
    expect(stdout).toMatch(/^ran\nNothing is running/);
    expect(readdirSync(at)).toHaveLength(1);
  });

  test('and another one whose name differs in case alone are two, also when their paths are long', async () => {
    const { stdout } = await shell(
      `export UNJAM_HOME="$AT/${long}/Home"; unjam start --ticket one -- sleep 3600; UNJAM_HOME="$AT/${long}/home" unjam ps --all; unjam ps
       unjam kill one --yes >/dev/null 2>&1; unjam serve --stop; UNJAM_HOME="$AT/${long}/home" unjam serve --stop`,
      { AT: folder() },
      false,
    );
    expect(stdout).toMatch(/^one\nNo scripts\.\nTICKET[^\n]+\none /);
  });
});

describe.runIf(onLinux)('a folder that was removed under the caller', () => {
  const removed = 'mkdir "$AT/d"; cd "$AT/d"; rmdir "$AT/d"; export UNJAM_HOME="$AT/home";';

  test('refuses what would begin there, each in one sentence', async () => {
    for (const command of [
      'unjam run -- echo ran',
      'unjam start -- true',
      'unjam hold --mutex db -- echo ran',
      'UNJAM_HOME=relative unjam ps',
    ]) {
      const ended = await shell(`${removed} ${command}`, { AT: folder() }, false);
      expect(ended, command).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr, command).toMatch(sentence(/older that this (command )?was started in no longer exists/));
    }
  });

  test('does not matter to a host and to those who only look', async () => {
    const { stdout, stderr } = await shell(
      `${removed} coproc unjam serve; read -r up <&"\${COPROC[0]}"; echo "$up"; unjam ps; (cd /; unjam run -- echo ran 2>/dev/null); unjam serve --stop; wait`,
      { AT: folder() },
      false,
    );
    expect(stdout).toMatch(/^Unjam host of [^\n]+ is up[^\n]+\nNothing is running[^\n]+\nran\n$/);
    expect(stderr).not.toContain('Report this');
  });
});

describe.runIf(onLinux)('a file that the kernel would not run', () => {
  test.each([
    ['Windows line ends', '#!/bin/sh\r\necho hi\r\n', /has Windows line ends/],
    ['Windows line ends behind env', '#!/usr/bin/env bash\r\necho hi\r\n', /has Windows line ends/],
    [
      'an interpreter that is missing',
      '#!/opt/none/python\nprint()\n',
      /interpreter "\/opt\/none\/python"[^\n]*does not exist/,
    ],
    ['one that is not on the PATH', '#!/usr/bin/env none-such\n', /interpreter "none-such"[^\n]*is not on the PATH/],
  ])('%s: the cause, nothing was started, and no name from the inside', async (_, text, says) => {
    const at = folder();
    const file = join(at, 'deploy');
    writeFileSync(file, text, { mode: 0o755 });
    for (const verb of ['run', 'hold --mutex db']) {
      const ended = await shell(
        `unjam ${verb} -- ${file}; status=$?; unjam serve --stop; exit $status`,
        { UNJAM_HOME: join(at, 'home') },
        false,
      );
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toMatch(sentence(says));
    }
  });

  test.each([
    ['carriage returns only behind its first line', '#!/bin/sh\necho hi\r\n'],
    ['an empty interpreter line', '#!\necho hi\n'],
    ['no interpreter line', 'echo hi\n'],
  ])('but one with %s runs', async (_, text) => {
    const file = join(folder(), 'deploy');
    writeFileSync(file, text, { mode: 0o755 });
    const ended = await shell(`unjam hold --mutex db -- ${file}`, { UNJAM_HOME: join(folder(), 'home') }, false);
    expect(ended.status).toBe(0);
  });
});

test.runIf(onLinux)('an argument or a variable that is too long is named, with what the system takes', async () => {
  await using world = await World.open();
  const long = 'a'.repeat(200_000);
  const command = ['/bin/true', 'x', long];
  expect(await world.refusal(world.client.call('scripts.start', { command }))).toMatchObject({
    code: 'too-large',
    message: 'Argument 2 has 200000 bytes; Linux takes up to 131071 in one.',
  });
  const environment = { PATH: '/bin', LONG: long };
  expect(
    await world.refusal(world.client.call('scripts.start', { command: ['/bin/true'], environment })),
  ).toMatchObject({ code: 'too-large', message: expect.stringContaining('The variable LONG has 200005 bytes') });
});

test.runIf(onLinux)(
  'a caller that may write no file of that size gets its script run, or one sentence that says why not',
  async () => {
    const at = folder();
    const { stderr, stdout } = await shell(
      `unjam ps >/dev/null; unjam serve --stop; (ulimit -f 1; unjam run -- echo ran; echo "run $?"); unjam serve --stop`,
      { UNJAM_HOME: join(at, 'home') },
      false,
    );
    // The host takes the system's limits where it may raise those of its starter, which not every root may.
    if (stdout !== 'ran\nrun 0\n') {
      expect(stdout).toBe('run 1\n');
      expect(stderr).toMatch(sentence(/the file has reached its size limit/));
    }
  },
);

test.runIf(onLinux)('64 descriptors are enough', async () => {
  const { stdout } = await shell(
    `ulimit -n 64; unjam run --mutex db -- echo ran 2>/dev/null; unjam serve --stop`,
    { UNJAM_HOME: join(folder(), 'home') },
    false,
  );
  expect(stdout).toBe('ran\n');
});

describe.runIf(onLinux && isRoot)('the state directory of another user', () => {
  function home(): { readonly at: string; readonly as: (uid: number, command: string) => Promise<CliResult> } {
    const at = folder();
    chownSync(at, user, user);
    chmodSync(at, 0o755);
    const as = (uid: number, command: string): Promise<CliResult> =>
      shell(
        uid === 0
          ? command
          : `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups bash -c 'unjam() { "${process.execPath}" "${program}" "$@"; }; ${command}'`,
        { UNJAM_HOME: join(at, 'state'), HOME: at },
        false,
      );
    return { at, as };
  }

  test.each([
    ['before its owner has used it', false],
    ['afterwards, while no host runs', true],
  ])('%s: root leaves nothing of root’s there, is refused, and its owner is not locked out', async (_, used) => {
    const { at, as } = home();
    if (used) await as(user, 'unjam run --mutex db -- true; unjam serve --stop');
    for (const command of ['unjam hold --mutex db -- echo ran', 'unjam run -- echo ran', 'unjam ps', 'unjam serve']) {
      const ended = await as(0, command);
      expect(ended, command).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr, command).toMatch(
        /^unjam: The state directory [^\n]+ belongs to [^\n]+\nNext: [^\n]+ user[^\n]+\n$/,
      );
    }
    expect(execFileSync('find', [at, '-user', 'root'], { encoding: 'utf8' })).toBe('');
    // A user without a name on this machine, too.
    const own = await as(
      user,
      'unjam run --mutex db -- id -u 2>/dev/null; unjam hold --mutex db -- echo held; unjam history; unjam serve --stop',
    );
    expect(own.stdout).toMatch(new RegExp(`^${user}\\nheld\\n[^]*uid ${user}`));
  });

  test('while its host runs: root looks and ends there, but starts nothing; a third user is told whom to ask', async () => {
    const { at, as } = home();
    await as(user, 'unjam start --ticket t -- sleep 3600');
    expect((await as(0, 'unjam ps')).stdout).toContain('Running');
    expect((await as(0, 'unjam run -- id -u')).stderr).toMatch(sentence(/and you are root/));
    expect((await as(0, 'unjam hold --mutex db -- true')).stderr).toMatch(sentence(/belongs to/));
    expect((await as(otherUser, 'unjam ps')).stderr).toMatch(sentence(/belongs to another user/));
    expect(await as(0, 'unjam kill t --yes')).toMatchObject({ status: 0 });
    expect(execFileSync('find', [at, '-user', 'root'], { encoding: 'utf8' })).toBe('');
    await as(user, 'unjam serve --stop');
  });

  test.each(['2', '1'])(
    'with hidepid=%s: doctor says that others’ processes are hidden, and what that costs',
    async (hidepid) => {
      const { at } = home();
      const doctor = (mount: string): Promise<CliResult> =>
        shell(
          `${mount} exec setpriv --reuid=${user} --regid=${user} --clear-groups bash -c '"$@" doctor; "$@" serve --stop' sh "${process.execPath}" "${program}"`,
          { UNJAM_HOME: join(at, 'state'), HOME: at },
        );
      const { stdout } = await doctor(`mount -t proc -o hidepid=${hidepid} proc /proc &&`);
      expect(stdout).toMatch(
        /^BAD {2}host: The processes of other users are hidden from uid 61234 \(hidepid[^\n]+Force Kill cannot end it\.\n {5}Next: Mount \/proc without hidepid/m,
      );
      expect(stdout).toMatch(/^ok {3}script:/m);
      expect((await doctor('')).stdout).not.toContain('hidepid');
    },
  );
});
