/** What a script gets: its caller's surroundings, whoever started the host. Linux, through the built command line. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { World } from '../support/world.ts';

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line of bash in which `unjam` is the built command; $UNJAM is it as one word for programs that start others. */
function bash(world: World, line: string, environment: NodeJS.ProcessEnv = {}): Promise<Said> {
  const wrapper = join(world.home, 'unjam-command');
  writeFileSync(wrapper, `#!/bin/bash\nexec "${process.execPath}" "${world.program}" "$@"\n`, { mode: 0o755 });
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-c', `unjam() { "$UNJAM" "$@"; }; ${line}`],
      {
        cwd: world.home,
        env: { ...process.env, UNJAM_HOME: world.home, UNJAM: wrapper, ...environment },
        maxBuffer: 1e8,
        encoding: 'latin1',
      },
      (error, stdout, stderr) =>
        resolve({ status: error ? (typeof error.code === 'number' ? error.code : null) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

const onLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

describe.runIf(onLinux)('resource limits', () => {
  test('are the caller’s, not those of who started the host; hard and soft', async () => {
    await using world = await World.empty();
    expect((await bash(world, '( ulimit -n 512 -c 1024; unjam ps )')).status).toBe(0);
    const ask = `'for o in n c f s; do ulimit -S -$o; ulimit -H -$o; done'`;
    const line = `ulimit -S -s 4096; ulimit -c 20; ulimit -f 80000; ulimit -n 256; bash -c ${ask} >direct; unjam run -- bash -c ${ask}`;
    const said = await bash(world, line);
    expect(said.stdout).toBe(readFileSync(join(world.home, 'direct'), 'utf8'));
    expect(said.stdout).toMatch(/^256\n256\n/);
  });

  test('the soft one of open files is not what Node makes of it, also with a variable that no shell can set', async () => {
    await using world = await World.open();
    const ask = `'ulimit -S -n; ulimit -S -u'`;
    const line = `ulimit -S -n 300; ulimit -S -u 4000; unjam run -- bash -c ${ask}; f() { :; }; export -f f; unjam run -- bash -c ${ask}; :`;
    expect((await bash(world, line)).stdout).toBe('300\n4000\n300\n4000\n');
  });

  test('a host starts with those of the system, or says in its log that it may not', async () => {
    await using world = await World.empty();
    await bash(world, '( ulimit -n 200; unjam ps )');
    const now = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${world.hostPid}/limits`, 'utf8'));
    if (Number(now?.[2]) === 200) {
      const log = readFileSync(join(world.home, 'host.log'), 'utf8');
      expect(log).toMatch(/W394 Its resource limits \(open files.*only root may raise them/);
    } else expect(Number(now?.[2])).toBeGreaterThan(200);
  });
});

test.runIf(onLinux)(
  'a session and a process group of its own: no signal to its caller’s group reaches it',
  async () => {
    await using world = await World.open();
    const script = `read -r _ _ _ _ group session _ </proc/self/stat; echo "$$ $group $session"`;
    const [pid, group, session] = (await bash(world, `unjam run -- bash -c '${script}'`)).stdout.trim().split(' ');
    expect([group, session]).toEqual([pid, pid]);
  },
);

test.runIf(onLinux)(
  'an environment that is longer than the system takes: nothing starts, and it is said why',
  async () => {
    await using world = await World.open();
    const start = (environment: Record<string, string>) =>
      world.client.call('scripts.start', {
        command: ['sh', '-c', ': >ran'],
        cwd: world.home,
        environment: { PATH: process.env['PATH'] ?? '', ...environment },
      });
    const refusal = await world.refusal(start({ HUGE: 'x'.repeat(300_000) }));
    expect(refusal.message).toMatch(
      /^The variable HUGE has 300005 bytes with its name; Linux takes up to 131071 in one/,
    );
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`V${n}`, 'x'.repeat(100_000)]));
    expect((await world.refusal(start(many))).message).toBe('The request body is larger than 1048576 bytes.');
    expect(existsSync(join(world.home, 'ran'))).toBe(false);
  },
);

/** Every line is run twice, as it is and with `unjam run --` where it says RUN: both must print the same. */
async function same(line: string, environment: NodeJS.ProcessEnv = {}): Promise<Said> {
  await using world = await World.open();
  const direct = await bash(world, line.replaceAll('RUN', ''), environment);
  const supervised = await bash(world, line.replaceAll('RUN', '"$UNJAM" run --'), environment);
  expect([supervised.stdout, supervised.status]).toEqual([direct.stdout, direct.status]);
  return supervised;
}

describe.runIf(onLinux)('a script prints the same with unjam run in front of it', () => {
  test.each([
    [
      'a bare environment, as cron gives it',
      `env -i HOME=/ PATH=/usr/bin:/bin UNJAM_HOME="$UNJAM_HOME" RUN sh -c 'env | grep -v UNJAM | grep -v ^_ | grep -v -e ^PWD -e ^SHLVL | sort; pwd'`,
    ],
    ['nohup', `nohup RUN sh -c 'grep SigIgn /proc/self/status >/dev/null; echo out; exit 4' 2>/dev/null`],
    ['setsid', `setsid -w RUN sh -c 'echo out; exit 5'`],
    ['a background job that is waited for', `RUN sh -c 'echo out; exit 6' & wait $!`],
    ['a command substitution', `x=$(RUN echo inside); echo "[$x]"`],
    ['a pipe on both sides', `seq 100 | RUN sed -n 50p | cat`],
    ['closed standard input', `RUN cat <&-; :`],
    ['closed standard error', `RUN sh -c 'echo out' 2>&-`],
    [
      'newlines, quotes, globs and blanks in arguments',
      `RUN printf '<%s>' $'a\\nb' '' ' ' '*' '"' "'" '\\' '$HOME' -- --json -x é`,
    ],
    ['an argument of 120 kB', `RUN sh -c 'printf "%s" "\${#1}"' sh "$(head -c 120000 /dev/zero | tr '\\0' x)"`],
    ['3,000 arguments', `RUN sh -c 'echo $#' sh $(seq 3000)`],
    [
      'a command with a blank, a quote and a newline in its name',
      `printf '#!/bin/sh\\necho "\${0##*/}"' >$'a "b\\nc' && chmod +x $'a "b\\nc' && RUN ./$'a "b\\nc'`,
    ],
    ['a script without a first line', `printf 'echo plain' >plain && chmod +x plain && RUN ./plain`],
    [
      'a deep working folder',
      `for i in $(seq 60); do mkdir -p ddddddddddddddddddddddddddddddd && cd ddddddddddddddddddddddddddddddd; done; RUN pwd | wc -c`,
    ],
    ['a working folder with odd characters', `mkdir -p $'x y\\n"é' && cd $'x y\\n"é' && RUN pwd`],
    [
      'a variable with a newline, one that is empty, and one called "go"',
      `RUN sh -c 'printf "[%s]" "$A" "\${B-unset}" "$go"'`,
      { A: 'a\nb', B: '', go: 'mine' },
    ],
    ['an exported function of bash', `f() { echo "from f"; }; export -f f; RUN bash -c f`],
    [
      'variables that are named as options are',
      `RUN sh -c 'printf "[%s]" "$NODE_ENV" "$DEBUG" "$NO_COLOR"'`,
      { NODE_ENV: 'production', DEBUG: '*', NO_COLOR: '1' },
    ],
    [
      'the signals that its caller ignores do not matter to it',
      `trap '' INT; RUN sh -c 'trap "echo got" TERM; kill -TERM $$; echo on'`,
    ],
    [
      'exit codes to 255 and one of a signal',
      `for c in 0 1 126 127 128 255; do RUN sh -c "exit $c"; echo $?; done; RUN sh -c 'kill -9 $$' 2>/dev/null; echo $?`,
    ],
    ['bytes that are no UTF-8 in its output', `RUN printf '\\377\\376x\\200\\n'`],
    ['a file descriptor of its own in /dev/fd', `RUN bash -c 'cat <(echo sub)'`],
  ] as [string, string, NodeJS.ProcessEnv?][])('%s', async (_, line, environment) => {
    await same(line, environment);
  });

  test.runIf(isRoot)('as another user through setpriv or su, whose own host it gets', async () => {
    await using world = await World.empty();
    const own = join(world.home, 'own');
    mkdirSync(own);
    spawnSync('chown', ['nobody', own]);
    spawnSync('chmod', ['755', world.home]);
    const as = `setpriv --reuid=nobody --regid=nogroup --clear-groups env -u XDG_RUNTIME_DIR UNJAM_HOME=${own} HOME=${own}`;
    const said = await bash(world, `cd ${own}; ${as} "$UNJAM" run -- sh -c 'id -un; touch made'; stat -c %U made; ${as} "$UNJAM" serve --stop`); // prettier-ignore
    expect(said.stdout).toMatch(/^nobody\nnobody\n/);
  });
});

describe.runIf(onLinux)('what cannot be handed on is refused with a sentence', () => {
  test.each([
    [
      'an argument of 140 kB',
      `unjam run -- true "$(head -c 140000 /dev/zero | tr '\\0' x)"`,
      /too long|E2BIG|Argument list/i,
    ],
    [
      'a working folder that was removed',
      'mkdir gone && cd gone && rmdir ../gone && unjam run -- true',
      /no longer exists/,
    ],
    ['a command that is a folder', 'unjam run -- /tmp', /was not found, or is not executable/],
    ['an empty command', 'unjam run -- ""', /There is no command/],
  ])('%s', async (_, line, message) => {
    await using world = await World.open();
    const said = await bash(world, line);
    expect(said.status).not.toBe(0);
    expect(said.stderr).toMatch(message);
    expect(said.stderr).not.toMatch(/Report this|at .*\.cjs:/);
  });
});
