// Starts a script through the API, waits for its end, prints its output, and exits with its code. Needs Node alone.
// Usage: node deploy.mjs MUTEX COMMAND [ARGUMENT...]
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

const state =
  process.env.UNJAM_HOME ??
  (process.platform === 'win32'
    ? join(process.env.LOCALAPPDATA, 'Unjam')
    : join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'unjam'));
const { address, token } = JSON.parse(readFileSync(join(state, 'host.json'), 'utf8'));

function call(method, input) {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: address, // a Unix socket, on Windows a named pipe
        path: `/rpc/${method}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      },
      async (answer) => {
        let text = '';
        for await (const part of answer.setEncoding('utf8')) text += part;
        const { ok, value, error } = JSON.parse(text);
        if (ok) resolve(value);
        else reject(new Error(`${error.message} ${error.next} (${error.code})`));
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(input));
  });
}

const [mutex, ...command] = process.argv.slice(2);
// The same ticket never runs twice: the call may be repeated when its answer was lost.
const ticket = `example-${randomUUID()}`;
await call('scripts.start', { ticket, command, cwd: process.cwd(), isolation: { level: 'full', mutex } });
for (let from = 0, complete = false; !complete;) {
  const page = await call('logs.read', { ticket, from, waitMs: 20_000 }); // held until there is something new
  for (const { stream, text } of page.entries) if (stream !== 'unjam') process[stream].write(text);
  ({ next: from, complete } = page);
}
const script = await call('scripts.get', { ticket });
console.error(script.condition.headline);
process.exitCode = script.verdict === 'exited' ? (script.exitCode ?? 1) : 1;
