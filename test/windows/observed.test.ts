/** Scripts that agents started by themselves, seen in the process table of Windows; the agents are copies of node.exe. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentsView, HistoryEntry } from '../../app/contract/methods.ts';
import type { Finished, Program } from '../support/wine.ts';
import { useWindows } from './support/runtime.ts';

const run = useWindows();
const local = (...path: string[]): string => join(run.windows.folder, ...path);
const onWindows = (...path: string[]): string => run.windows.path(local(...path));
const unjam = (home: string, ...args: string[]): Promise<Finished> =>
  run.windows.run('cli', args, { env: { UNJAM_HOME: onWindows(home) } }).finish();

/** node.exe as this system names it: below Wine its path begins with the drive of the root. */
const node = (): string => (run.windows.isWine ? run.windows.node.slice(2).replaceAll('\\', '/') : run.windows.node);

async function copyOfNode(...path: string[]): Promise<string> {
  await mkdir(dirname(local(...path)), { recursive: true });
  await copyFile(node(), local(...path));
  return onWindows(...path);
}

/** Starts its words, records their exit code, and goes on: its beat is written again when somebody removes it. */
const carrying = (code: string, words: readonly string[]): string => `
const [file, ...args] = ${JSON.stringify(words)};
process.getBuiltinModule('child_process').spawn(file, args, { stdio: 'ignore' }).on('exit', (c) => process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(code)}, String(c)));
setInterval(() => process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(`${code}.beat`)}, ''), 100);
`;

const stubborn = (): string[] => [`${run.windows.programs}\\simulant.js`, 'stubborn'];

const agents: Record<string, { key: string; start: () => Promise<Program> }> = {
  'Runner.Worker.exe': {
    key: 'github',
    async start() {
      const program = await copyOfNode('actions-runner', 'bin', 'Runner.Worker.exe');
      const words = [run.windows.node, ...stubborn()];
      await writeFile(local('actions-runner', 'bin', 'spawnclient'), carrying(onWindows('github.code'), words));
      const variables = { GITHUB_REPOSITORY: 'octo/shop', GITHUB_JOB: 'deploy' };
      return run.windows.run('agent', [program, onWindows('actions-runner', 'bin'), '["spawnclient","1","2"]', JSON.stringify(variables)]); // prettier-ignore
    },
  },
  'Tentacle.exe': {
    key: 'tentacle',
    async start() {
      const program = await copyOfNode('Octopus', 'Tentacle.exe');
      const shell = await copyOfNode('Octopus', 'powershell.exe');
      const bootstrap = onWindows('Octopus', 'Work', '20260115030000-8-1', 'Bootstrap.ps1');
      await writeFile(local('Octopus', 'run'), carrying(onWindows('tentacle.code'), [shell, ...stubborn(), '-File', bootstrap])); // prettier-ignore
      return run.windows.run('agent', [program, onWindows('Octopus'), '["run","--instance=web"]', '{"TentacleInstanceName":"web"}']); // prettier-ignore
    },
  },
};

test.each(Object.entries(agents))(
  'what %s has started is recognised; Force Kill ends it and leaves the agent, which has its exit code',
  async (_, { key, start }) => {
    const carrier = await start();
    await carrier.next<{ pid: number }>();
    const home = `home of ${key}`;
    let id = '';
    await expect
      .poll(
        async () => {
          const { scripts } = JSON.parse((await unjam(home, 'agents', '--json')).stdout) as AgentsView & {
            scripts: { id: string; pid: number | null; agent: { key: string } }[];
          };
          ({ id = '' } = scripts.find((s) => s.agent.key === key && s.pid !== null) ?? {});
          return id;
        },
        { timeout: 60_000 },
      )
      .not.toBe('');
    const killed = await unjam(home, 'kill', id, '--yes', '--reason', 'test');
    expect(killed.stderr).toBe('');
    await expect
      .poll(() => readFile(local(`${key}.code`), 'utf8').catch(() => null), { timeout: 20_000 })
      .not.toBeNull();
    await rm(local(`${key}.code.beat`), { force: true });
    await expect.poll(() => existsSync(local(`${key}.code.beat`)), { timeout: 20_000 }).toBe(true);
    const { entries } = JSON.parse((await unjam(home, 'history', '--json')).stdout) as { entries: HistoryEntry[] };
    expect(entries.map(({ kind }) => kind)).toContain('observed-kill');
    carrier.child.kill('SIGKILL');
  },
);
