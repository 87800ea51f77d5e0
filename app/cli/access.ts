/** `unjam access`: who may use this host, and as what. */
import { UnjamError } from '../contract/errors.ts';
import { type Grant, type Role, roles } from '../domain/access.ts';
import { visibleLine } from '../domain/visible.ts';
import { withHost } from './connect.ts';
import { block, print, printJson, table } from './output.ts';

export async function list(options: { json?: boolean }): Promise<void> {
  await withHost(async (client) => {
    const { values, entries } = await client.call('settings.get', {});
    const { you } = await client.call('host.info', {});
    const managed = entries.find(({ key }) => key === 'access')?.managed ?? null;
    if (options.json) {
      printJson<'access list'>({ you: { user: you.user, role: you.role }, access: values.access, managed });
      return;
    }
    print(
      [
        visibleLine(`You are ${you.user}: ${you.role}.`),
        ...(managed === null ? [] : [`${managed}.`]),
        values.access.length === 0
          ? 'Only the account of this host and administrators may use it.'
          : table(
              ['WHO', 'ROLE'],
              values.access.map(({ who, role }) => [who, role]),
            ),
      ].join('\n'),
    );
  });
}

export async function grant(who: string, given: string, options: { json?: boolean }): Promise<void> {
  const role = roles.find((one): one is Role => one === given);
  if (role === undefined)
    throw new UnjamError('bad-input', `"${given}" is not a role.`, `Give one of: ${roles.join(', ')}.`, 'role');
  await change(options, (access) => [...access.filter((one) => !isSame(one.who, who)), { who, role }]);
}

export async function revoke(who: string, options: { json?: boolean }): Promise<void> {
  await change(options, (access) => {
    if (!access.some((one) => isSame(one.who, who)))
      throw new UnjamError('not-possible', `"${who}" has no role here.`, 'See "unjam access list".', 'who');
    return access.filter((one) => !isSame(one.who, who));
  });
}

async function change(options: { json?: boolean }, to: (access: readonly Grant[]) => Grant[]): Promise<void> {
  await withHost(async (client) => {
    const { values } = await client.call('settings.get', {});
    const { access } = (await client.call('settings.set', { values: { access: to(values.access) } })).values;
    if (options.json) printJson<'access grant' | 'access revoke'>({ access });
    else print(access.length === 0 ? 'Nobody else has a role now.' : block(access.map((a) => `${a.who}: ${a.role}`)));
  });
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
