/** `unjam metrics`: the host in numbers, for a program that collects them from files. */
import { withHost } from './connect.ts';
import { print } from './output.ts';

export async function metrics(): Promise<void> {
  print((await withHost((client) => client.call('metrics.get', {}))).text);
}
