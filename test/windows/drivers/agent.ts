/** An agent that cannot be had here: starts a copy of node.exe under the agent's name, in a folder of its shape. */
import { spawn } from 'node:child_process';

const [program = '', cwd = '', words = '[]', variables = '{}'] = process.argv.slice(2);
const carrier = spawn(program, JSON.parse(words) as string[], {
  cwd,
  env: { ...process.env, ...(JSON.parse(variables) as Record<string, string>) },
  stdio: 'ignore',
});
carrier.once('spawn', () => console.log(JSON.stringify({ pid: carrier.pid })));
carrier.once('exit', (code) => console.log(JSON.stringify({ exit: code })));
