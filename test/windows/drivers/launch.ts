/** Starting scripts: gate, job, handles, arguments, environment. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scenarios } from '../support/scenarios.ts';

const failure = (error: unknown): { code: unknown; message: string } => ({
  code: (error as NodeJS.ErrnoException).code,
  message: (error as Error).message,
});

/** A batch file that passes everything on to the simulant, as wrappers such as npm.cmd do. */
function batchFile(folder: string, name = 'pass on.cmd'): string {
  const path = join(folder, name);
  writeFileSync(path, `@"${process.execPath}" "${join(process.argv[1]!, '..', 'simulant.js')}" arguments %*\r\n`);
  return path;
}

await scenarios({
  async gate({ control, simulant, folder }) {
    const script = await simulant('stay');
    const before = { alive: control.liveness(script.scope.root), output: script.stdout() };
    await script.until('ready');
    const aborted = await simulant('stay', [], { stdoutPath: join(folder, 'aborted.log') });
    aborted.abort();
    const exit = await aborted.exited;
    return { before, exit, abortedOutput: readFileSync(join(folder, 'aborted.log'), 'utf8') };
  },

  async 'exit code'({ simulant, options }) {
    const began = performance.now();
    const script = await simulant('exit', [options['code']!]);
    const launchMs = performance.now() - began;
    script.release();
    return { exit: await script.exited, launchMs };
  },

  async 'launch time'({ simulant }) {
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const began = performance.now();
      const script = await simulant('stay');
      times.push(performance.now() - began);
      script.abort();
      await script.exited;
    }
    return { times: times.map((t) => Math.round(t * 10) / 10) };
  },

  async 'runner dies with the gate closed'({ simulant }) {
    const script = await simulant('stay');
    process.stdout.write(`${JSON.stringify({ root: script.scope.root })}\n{"done":true}\n`);
    process.kill(process.pid, 'SIGKILL');
    return null;
  },

  async 'runner dies'({ simulant, folder }) {
    const go = join(folder, 'go');
    const script = await simulant('told', [go, '77']);
    await script.until('ready');
    process.stdout.write(`${JSON.stringify({ scope: script.scope, go })}\n{"done":true}\n`);
    process.kill(process.pid, 'SIGKILL');
    return null;
  },

  async arguments({ simulant, options }) {
    const script = await simulant('arguments', JSON.parse(options['args']!) as string[]);
    script.release();
    await script.exited;
    return { args: JSON.parse(script.stdout()) as string[] };
  },

  async 'batch arguments'({ launch, options, folder }) {
    const results: unknown[] = [];
    for (const args of JSON.parse(options['cases']!) as string[][]) {
      const script = await launch(batchFile(folder), args);
      script.release();
      const exit = await script.exited;
      const out = script.stdout();
      results.push(out.startsWith('[') ? JSON.parse(out) : { exit, out, err: readFileSync(script.stderrPath, 'utf8') });
    }
    return { results };
  },

  async 'batch injection'({ launch, folder }) {
    const proof = join(folder, 'injected');
    for (const attack of [
      `" & echo x>${proof} & "`,
      `& echo x>${proof}`,
      `%CMDCMDLINE:~-1%& echo x>${proof} & `,
      `^" & echo x>${proof}`,
    ]) {
      const script = await launch(batchFile(folder), [attack]);
      script.release();
      await script.exited;
    }
    return { injected: existsSync(proof) };
  },

  async environment({ simulant }) {
    const script = await simulant('environment', [], {
      environment: { zeta: '1', Alpha: 'ä€😀', PATH: 'first', Path: 'second', EMPTY: '', 'WITH SPACE': 'a=b' },
    });
    script.release();
    await script.exited;
    const seen = JSON.parse(script.stdout()) as Record<string, string>;
    return { seen, order: Object.keys(seen) };
  },

  async 'refused launches'({ launch, folder }) {
    const answers: unknown[] = [];
    const bad = join(folder, 'bad.exe');
    writeFileSync(bad, 'this is no program');
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => launch(join(folder, 'missing.exe'), []),
      () => launch(bad, []),
      () => launch(process.execPath, [], { cwd: join(folder, 'missing') }),
      () => launch(process.execPath, [], { stdoutPath: join(folder, 'missing', 'out.log') }),
      () => launch(process.execPath, ['a\0b']),
      () => launch(batchFile(folder), ['a\nb']),
      () => launch(process.execPath, [], { environment: { 'a=b': '1' } }),
      () => launch(process.execPath, ['x'.repeat(33_000)]),
    ];
    for (const attempt of attempts) answers.push(await attempt().then(() => 'started', failure));
    return { answers };
  },

  async 'shared log'({ simulant, folder }) {
    const path = join(folder, 'shared.log');
    writeFileSync(path, 'before\n');
    const scripts = await Promise.all(
      ['one', 'two'].map((label) => simulant('lines', [label, '100'], { stdoutPath: path, stderrPath: path })),
    );
    for (const script of scripts) script.release();
    appendFileSync(path, 'from outside\n');
    await Promise.all(scripts.map((script) => script.exited));
    return { lines: readFileSync(path, 'utf8').trim().split('\n') };
  },
});
