/** Who looks at a fleet with the invitation that a host keeps. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loginFile, removeFleetLogin, writeFleetLogin } from '../../app/fleet/config.ts';
import { FleetLogin } from '../../app/host/fleet-login.ts';

let home: string;
let said: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'unjam-login-'));
  said = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = (account: string | undefined = 'uid:1000'): FleetLogin =>
  new FleetLogin({ stateDirectory: home, account, joined: () => null, log: (line) => said.push(line) });
const own = { ids: ['uid:1000', 'gid:1000'] };
/** Nothing listens on port 1. */
const engine = { host: '127.0.0.1', port: 1, database: 'unjam', user: 'oncall', password: 'x' };

test('another account, and one that the system does not name, gets nothing of it', async () => {
  await writeFleetLogin(home, { schema: 1, fleet: 'f', engine });
  await using login = open();
  for (const caller of [{ ids: ['uid:0', 'uid:1000'] }, { ids: ['uid:1001'] }, { ids: [] }, {}]) {
    expect(login.nameOf(caller)).toBeNull();
    await expect(login.scripts(caller)).rejects.toMatchObject({ code: 'not-allowed' });
  }
  await using nameless = new FleetLogin({ stateDirectory: home, account: undefined, joined: () => null, log: () => undefined }); // prettier-ignore
  await expect(nameless.scripts({ ids: [] })).rejects.toMatchObject({ code: 'not-allowed' });
});

test('is asked in the name of who is logged in, until they log out; an engine that is away is said', async () => {
  await using login = open();
  expect(login.nameOf(own)).toBeNull();
  await expect(login.scripts(own)).rejects.toMatchObject({ code: 'fleet-not-joined' });
  await writeFleetLogin(home, { schema: 1, fleet: 'f', engine });
  expect(login.nameOf(own)).toBe('oncall');
  expect(await login.scripts(own)).toEqual({
    at: null,
    problem: expect.stringContaining('The engine of the fleet cannot be reached') as string,
    hosts: [],
  });
  expect(removeFleetLogin(home)).toBe(true);
  expect(login.nameOf(own)).toBeNull();
  expect(removeFleetLogin(home)).toBe(false);
});

test('a file that is none is said once, and nobody is logged in', async () => {
  writeFileSync(loginFile(home), '{}');
  await using login = open();
  expect([login.nameOf(own), login.nameOf(own)]).toEqual([null, null]);
  expect(said).toEqual([expect.stringMatching(/^W397 The fleet cannot be looked at: .*fleet-login\.json/)]);
});
