/** `unjam open`: the console of the running host in a browser, through an address for the caller alone. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Output } from '../contract/methods.ts';
import { roleNames } from '../domain/access.ts';
import { userName } from '../processes/user-name.ts';
import { withHost } from './connect.ts';
import { openInBrowser } from './open-browser.ts';
import { print, printJson, say } from './output.ts';

const lookEveryMs = 200;

export async function open(options: { print?: boolean; json?: boolean }): Promise<void> {
  const address = await withHost((client) => client.call('console.open', {}));
  if (options.json) return printJson<'open'>(address);
  // This process keeps the file that the browser reads until the browser has come.
  if (options.print || !(await openInBrowser(address.url))) return show(address);
  if (await hasCome(address))
    print(`The console is open in your browser. You are ${roleNames[address.role]} on this host.`);
  else {
    say('No browser has come within a minute. "unjam open --print" prints an address to open by hand.');
    process.exitCode = 1;
  }
}

function show({ url, port, role }: Output<'console.open'>): void {
  print(url);
  say(
    `It opens the console once, within 60 s, in a browser of ${userName()}. You are ${roleNames[role]} on this host.`,
  );
  say(
    `From another machine: connect with ssh -L ${port}:127.0.0.1:${port} ${userName()}@${hostname()}, run this there, and open the address here.`,
  );
}

async function hasCome({ url, expiresAt }: Output<'console.open'>): Promise<boolean> {
  while (Date.now() < Date.parse(expiresAt)) {
    if ((await fetch(url, { method: 'HEAD' })).status === 410) return true;
    await delay(lookEveryMs);
  }
  return false;
}
