/** What the state files, the local API and the logs rely on. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer, request } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { VersionStore } from '../../../app/locks/version-store.ts';
import { parseSecurity, programProblem, volumeOf } from '../../../app/processes/windows/file-security.ts';
import { closeFolder, restrictPipe } from '../../../app/processes/windows/owner-only.ts';
import { userSid } from '../../../app/processes/windows/token.ts';
import { decodeOem } from '../../../app/processes/windows/text-decoding.ts';
import { runCleanup } from '../../../app/ladder/cleanup.ts';
import { readHostFile, writeHostFile } from '../../../app/host/host-files.ts';
import { bind, type Handle } from '../../../app/processes/windows/ffi.ts';
import { closeHandle } from '../../../app/processes/windows/kernel.ts';
import {
  createOnce,
  createOnceInBackground,
  readOnce,
  sweepTemporaries,
} from '../../../app/run-directory/atomic-file.ts';
import { findExecutable, openProcessControl } from '../../../app/processes/index.ts';
import { pairs932, upperHalf } from '../../support/code-pages.ts';
import { accessListOf, descriptorOf, holdWithoutDelete } from '../support/access-list.ts';
import { scenarios, until } from '../support/scenarios.ts';

const ownCodePage = bind<() => number>('kernel32', 'uint32', 'GetOEMCP');

const codeOf = (call: () => void): string => {
  try {
    call();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};

async function get(socketPath: string, path: string): Promise<string> {
  const sent = request({ socketPath, path });
  sent.end();
  const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer> & { setEncoding(e: string): void }];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

await scenarios({
  async pipe({ folder }) {
    const name = `\\\\.\\pipe\\unjam-test-${randomBytes(8).toString('hex')}`;
    const server = createServer((incoming, answer) => {
      answer.write('first ');
      setImmediate(() => answer.end(incoming.url));
    });
    server.listen(name);
    await once(server, 'listening');
    const restricted = restrictPipe(name);
    const own = await get(name, '/own');
    const child = spawn(process.execPath, [process.argv[1]!, 'ask', folder, JSON.stringify({ name })], {
      stdio: ['ignore', 'pipe', 'inherit'],
      windowsHide: true,
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'exit');
    const began = performance.now();
    for (let i = 0; i < 100; i++) await get(name, `/${i}`);
    const ms = Math.round(performance.now() - began);
    server.close();
    return { restricted, own, other: JSON.parse(said.split('\n')[0]!) as unknown, ms };
  },

  async folder({ folder }) {
    const first = closeFolder(folder);
    const file = join(folder, 'token');
    fs.writeFileSync(file, 'secret');
    return {
      first,
      again: closeFolder(folder),
      content: fs.readFileSync(file, 'utf8'),
      list: accessListOf(folder),
      missing: closeFolder(join(folder, 'missing')),
      volume: volumeOf(file),
    };
  },

  /** A folder that the test has opened to everybody. */
  'folder of everybody'({ options }) {
    return Promise.resolve({ closing: closeFolder(options['path']!) });
  },

  /** Access lists as Windows writes them, and what is read out of them. */
  'access lists'({ options }) {
    const read = (JSON.parse(options['lists']!) as string[]).map((text) => parseSecurity(descriptorOf(text)));
    return Promise.resolve({ read, program: programProblem(process.execPath), self: userSid(process.pid) });
  },

  /** One process replaces the host's file again and again while two read it. */
  async 'host file'({ control, folder }) {
    const readers = [1, 2].map(() =>
      spawn(process.execPath, [process.argv[1]!, 'reader', folder, '{}'], { stdio: 'ignore', windowsHide: true }),
    );
    await writeHostFile(folder, '0', control.self);
    await until(() => fs.readdirSync(folder).filter((n) => n.startsWith('reading')).length === 2, 'the readers');
    const results = new Map<string, number>();
    for (let i = 0; i < 300; i++) {
      const code = await writeHostFile(folder, String(i), control.self).then(
        () => 'ok',
        (error: NodeJS.ErrnoException) => error.code ?? String(error),
      );
      results.set(code, (results.get(code) ?? 0) + 1);
    }
    fs.writeFileSync(join(folder, 'stop'), '');
    await Promise.all(readers.map((r) => once(r, 'exit')));
    return Object.fromEntries(results);
  },

  async reader({ folder }) {
    fs.writeFileSync(join(folder, `reading-${process.pid}`), '');
    while (!fs.existsSync(join(folder, 'stop'))) {
      readHostFile(folder);
      await new Promise(setImmediate);
    }
    return {};
  },

  async ask({ options }) {
    return { text: await get(options['name']!, '/other') };
  },

  async names({ folder }) {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    fs.writeFileSync(from, 'new');
    fs.writeFileSync(to, 'old');
    const open = fs.openSync(to, 'r');
    const renameOverOpen = codeOf(() => fs.renameSync(from, to));
    const deleteOpen = codeOf(() => fs.unlinkSync(to));
    fs.closeSync(open);
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    fs.writeFileSync(a, 'first');
    const link = codeOf(() => fs.linkSync(a, b));
    const linkAgain = codeOf(() => fs.linkSync(a, b));
    const renameOver = codeOf(() => fs.renameSync(a, b));
    return { renameOverOpen, deleteOpen, link, linkAgain, renameOver, content: fs.readFileSync(b, 'utf8') };
  },

  /** One process changes a store 160 times: how often it lists the folder, and how long a change takes. */
  async versions({ folder }) {
    let lists = 0;
    const real = fs.readdirSync;
    const table = fs as unknown as Record<string, unknown>;
    table['readdirSync'] = (...args: Parameters<typeof real>) => {
      lists += 1;
      return real(...args);
    };
    syncBuiltinESMExports();
    const store = new VersionStore(
      join(folder, 'store'),
      () => ({ version: 0, n: 0 }),
      () => null,
    );
    const began = performance.now();
    for (let i = 0; i < 160; i += 1) await store.change((state) => ({ ...state, n: state.n + 1 }));
    const ms = (performance.now() - began) / 160;
    return { state: store.read(), lists, ms };
  },

  /** Six processes create the same file at once. */
  async 'create once'({ folder }) {
    const target = join(folder, 'verdict.json');
    const workers = Array.from({ length: 6 }, (_, i) =>
      spawn(process.execPath, [process.argv[1]!, 'creator', folder, JSON.stringify({ target, value: String(i) })], {
        stdio: ['ignore', 'pipe', 'inherit'],
        windowsHide: true,
      }),
    );
    const answers = await Promise.all(
      workers.map(async (worker) => {
        let said = '';
        worker.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
        await once(worker, 'exit');
        return JSON.parse(said.split('\n')[0]!) as { first: boolean; value: string };
      }),
    );
    const content = JSON.parse(fs.readFileSync(target, 'utf8')) as string;
    const winners = answers.filter((a) => a.first);
    return {
      winners: winners.length,
      same: winners[0]?.value === content,
      left: fs.readdirSync(folder).filter((n) => n.endsWith('.tmp')),
    };
  },

  async creator({ options }) {
    return { first: createOnce(options['target']!, options['value'], 'synced'), value: options['value'] };
  },

  /** A scanner opens each temporary file when it has been linked, and lets nobody delete it. */
  async 'scanner on temporary files'({ folder }) {
    const held: Handle[] = [];
    const real = fs.linkSync;
    const table = fs as unknown as Record<string, unknown>;
    table['linkSync'] = (from: string, to: string) => {
      real(from, to);
      held.push(holdWithoutDelete(from));
    };
    syncBuiltinESMExports();
    const path = join(folder, 'exit.json');
    const first = createOnce(path, { code: 7 }, 'synced');
    const second = createOnce(path, { code: 8 }, 'synced');
    const inBackground = await createOnceInBackground(join(folder, 'claim.json'), {});
    const left = fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')).length;
    for (const handle of held) closeHandle(handle);
    sweepTemporaries(folder, () => false);
    return {
      first,
      second,
      inBackground,
      content: readOnce(path, (value) => value),
      wereHeld: left > 0,
      left: fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    };
  },

  async watch({ folder }) {
    const inbox = join(folder, 'requests');
    fs.mkdirSync(inbox);
    const names: (string | null)[] = [];
    const watcher = fs.watch(inbox, (_event, name) => names.push(name));
    const temporary = join(folder, 'request.tmp');
    fs.writeFileSync(temporary, '{}');
    fs.renameSync(temporary, join(inbox, 'request.json'));
    const began = performance.now();
    await until(() => names.includes('request.json'), 'the event');
    const ms = Math.round(performance.now() - began);
    watcher.close();
    return { ms };
  },

  async deletion({ simulant, folder }) {
    const work = join(folder, 'work');
    fs.mkdirSync(work);
    const script = await simulant('stay', [], { cwd: work });
    await script.until('ready');
    const whileIn = codeOf(() => fs.rmdirSync(work));
    const log = codeOf(() => fs.renameSync(script.stdoutPath, `${script.stdoutPath}.old`));
    return { whileIn, log };
  },

  async 'batch output'({ launch, folder }) {
    const path = join(folder, 'speak.cmd');
    fs.writeFileSync(path, '@echo off\r\nchcp\r\necho plain\r\nexit /b 5\r\n');
    const script = await launch(path, []);
    script.release();
    const exit = await script.exited;
    return { exit, output: fs.readFileSync(script.stdoutPath, 'utf8'), file: script.scope.root.name };
  },

  /** The reference's bytes as text in three code pages, and in this machine's own. */
  'code pages'({ control }) {
    return Promise.resolve({
      437: decodeOem(upperHalf, 437),
      850: decodeOem(upperHalf, 850),
      932: decodeOem(pairs932().bytes, 932),
      own: decodeOem(upperHalf, ownCodePage()),
      output: control.decodeOutput(upperHalf),
      ascii: control.decodeOutput(Buffer.from('abc\r\n')),
    });
  },

  'output as text'({ control, options }) {
    return Promise.resolve({ text: control.decodeOutput(Buffer.from(options['hex']!, 'hex')) });
  },

  async executables({ folder }) {
    fs.writeFileSync(join(folder, 'tool.cmd'), '');
    const path = { Path: `${folder};C:\\windows\\system32`, PATHEXT: '.EXE;.CMD' };
    return {
      byName: findExecutable('tool', 'C:\\', path),
      withExtension: findExecutable('TOOL.CMD', 'C:\\', path),
      cmd: findExecutable('cmd', 'C:\\', path),
      relative: findExecutable('.\\tool', folder, path),
      missing: findExecutable('nothing-here', folder, path),
      fromWorkingFolder: findExecutable('tool', folder, { ...path, Path: 'C:\\windows\\system32' }),
    };
  },

  /** A program of the same name as the clean-up command's lies in the working folder. */
  async 'clean-up command'({ folder }) {
    const [work, tools] = [join(folder, 'work'), join(folder, 'tools')];
    for (const [place, says] of [
      [work, 'planted'],
      [tools, 'meant'],
    ] as const) {
      fs.mkdirSync(place);
      fs.writeFileSync(join(place, 'tidy.cmd'), `@echo ${says}\r\n`);
    }
    const stderrPath = join(folder, 'stderr.log');
    const said: string[] = [];
    const log = { directory: { stderrPath }, append: (_: unknown, line: { text: string }) => void said.push(line.text) }; // prettier-ignore
    const control = await openProcessControl();
    const cleanup = (command: [string, ...string[]], path: string): Promise<void> =>
      runCleanup(
        {
          spec: { cleanup: { command, timeoutMs: 60_000 }, cwd: work, runId: 'run', ancestors: [] },
          environment: { ...(process.env as Record<string, string>), PATH: path, PATHEXT: '.CMD' },
          umask: 0,
          niceness: 0,
          limits: null,
          control,
          log: log as never,
        },
        { how: 'cancel', cause: null, exit: null },
        null,
        () => undefined,
      );
    await cleanup(['tidy'], tools);
    await cleanup(['tidy'], 'C:\\windows\\system32');
    control.close();
    return { output: fs.readFileSync(stderrPath, 'utf8').trim(), said };
  },
});
