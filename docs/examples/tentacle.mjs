// Runs a script file through the verbs of Octopus Tentacle, prints its output, and exits with its code. Needs Node alone.
// Usage: node tentacle.mjs MUTEX SCRIPT-FILE [ARGUMENT...]
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

function call(verb, body) {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: address, // a Unix socket, on Windows a named pipe
        path: `/tentacle/v2/${verb}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      },
      async (answer) => {
        let text = '';
        for await (const part of answer.setEncoding('utf8')) text += part;
        const value = JSON.parse(text);
        if (answer.statusCode === 200) resolve(value);
        else reject(new Error(`${value.error.message} ${value.error.next} (${value.error.code})`));
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

const [mutex, file, ...words] = process.argv.slice(2);
const Ticket = { TaskId: randomUUID() };
const show = (status) => {
  for (const { Source, Text } of status.Logs)
    if (Source < 2) process[Source === 0 ? 'stdout' : 'stderr'].write(`${Text}\n`);
  return status;
};
let status = show(
  await call('StartScript', {
    ScriptBody: readFileSync(file, 'utf8'),
    Isolation: 1,
    ScriptIsolationMutexTimeout: '00:30:00',
    IsolationMutexName: mutex,
    Arguments: words,
    ScriptTicket: Ticket,
    DurationToWaitForScriptToFinish: '00:00:05',
  }),
);
while (status.State !== 2) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  status = show(await call('GetStatus', { Ticket, LastLogSequence: status.NextLogSequence }));
}
await call('CompleteScript', { Ticket });
process.exitCode = status.ExitCode;
