/**
 * Opens an address of the console as a browser of this process's user does, and prints a list: the status; then the answers
 * to the calls that it is given, or with `stay` what comes of it when its role is taken away meanwhile.
 */
import { keyOf } from '../../support/console-key.ts';

const [url = '', what = '[]'] = process.argv.slice(2);
const { origin } = new URL(url);
const login = await fetch(url);
const text = await login.text();
const said: unknown[] = [login.status];
if (!login.ok) said.push(text);
else {
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const headers = { cookie, 'x-unjam-key': keyOf(text), origin };
  const call = async (method: string, input: object): Promise<unknown> =>
    (await fetch(`${origin}/rpc/${method}`, { method: 'POST', headers, body: JSON.stringify(input) })).json();
  if (what === 'stay') {
    const events = await fetch(`${origin}/events`, { headers });
    process.send?.('following');
    await events.text().catch(() => said.push('the events ended'));
    said.push(await call('host.info', {}));
  } else for (const [method, input] of JSON.parse(what) as [string, object][]) said.push(await call(method, input));
}
process.stdout.write(JSON.stringify(said));
if (process.connected) process.disconnect();
