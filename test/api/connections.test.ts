/** Whom the doors of a host let in, and how much one account may keep open. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openConsole } from '../../app/api/console-server.ts';
import { type HostSocket, openHostSocket, type SocketOptions } from '../../app/api/host-socket.ts';
import { requestBounds } from '../../app/api/http-server.ts';
import type { Peer } from '../../app/processes/index.ts';

const kim: Peer = { user: 'kim', ids: ['uid:1000'], pid: 7 };
const token = 'the token of the state directory';
const api: Pick<SocketOptions, 'dispatch' | 'subscribe' | 'version'> = {
  dispatch: async (_method, _input, { user, role }) => ({ ok: true, value: `${user}: ${role}` }),
  subscribe: () => () => undefined,
  version: 'test',
};

describe.skipIf(process.platform === 'win32')('the host’s socket', () => {
  let folder: string;
  let address: string;
  let socket: HostSocket | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unjam-door-'));
    address = join(folder, 'run', 'host.sock');
  });
  afterEach(async () => {
    await socket?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (peer: Peer | null, more: Partial<SocketOptions> = {}): Promise<void> => {
    socket = await openHostSocket({ ...api, address, token, ownerOf: () => peer, roleOf: () => null, ...more });
  };
  const statusWith = async (given: string | null): Promise<number> => {
    const headers = given === null ? {} : { authorization: `Bearer ${given}` };
    const call = request({ socketPath: address, path: '/rpc/host.info', method: 'POST', agent: false, headers });
    call.end();
    const [response] = (await once(call, 'response')) as [{ statusCode: number; resume: () => void }];
    response.resume();
    return response.statusCode;
  };

  test('takes the token for a caller only where the system says nothing about them', async () => {
    await open(null);
    expect([await statusWith(token), await statusWith('x'), await statusWith(null)]).toEqual([200, 401, 401]);
    await socket?.close();
    await open(kim);
    expect([await statusWith(token), await statusWith(null)]).toEqual([401, 401]);
    await socket?.close();
    await open(kim, { roleOf: () => 'viewer' });
    expect(await statusWith(null)).toBe(200);
  });

  test('goes on after an error of its server, as when Windows refuses the next instance of a pipe', async () => {
    const listening = vi.spyOn(Server.prototype, 'listen');
    const said: string[] = [];
    await open(null, { log: (line) => said.push(line) });
    const [server] = listening.mock.contexts as Server[];
    listening.mockRestore();
    server?.emit('error', new Error('EACCES'));
    expect(said).toEqual(["W391 The host's door met an error: EACCES."]);
    expect(await statusWith(token)).toBe(200);
  });

  test('has mode 0600 in a folder with mode 0700; that of the machine’s host 0666 and 0755, and no token opens it', async () => {
    const modes = (): number[] => [address, dirname(address)].map((path) => statSync(path).mode & 0o777);
    await open(kim);
    expect(modes()).toEqual([0o600, 0o700]);
    await socket?.close();
    rmSync(dirname(address), { recursive: true, force: true });
    await open(null, { isDoor: true });
    expect(modes()).toEqual([0o666, 0o755]);
    expect(await statusWith(token)).toBe(401);
  });
});

test('a head of a request gets 10 s, and the whole of it 30 s', () => {
  expect(requestBounds).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000 });
});

test('of 65 connections of one account to the console the last is hung up on, and those of another are not', async () => {
  let account = 'uid:1000';
  await using closing = new AsyncDisposableStack();
  const ownerOf = (): Peer => ({ user: account, ids: [account], pid: null });
  const page = await openConsole({ ...api, root: '.', port: 0, user: 'kim', role: 'owner', ownerOf });
  closing.defer(() => page.close());
  /** True when it is still there after the server has answered. */
  const stays = async (): Promise<boolean> => {
    const socket = connect(page.port, '127.0.0.1').on('error', () => undefined);
    closing.defer(() => void socket.destroy());
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const answered = once(socket, 'data').then(() => true, () => false); // prettier-ignore
    return Promise.race([answered, once(socket, 'close').then(() => false)]);
  };
  const kept: boolean[] = [];
  for (let i = 0; i < 65; i += 1) kept.push(await stays());
  expect(kept).toEqual([...Array.from({ length: 64 }, () => true), false]);
  account = 'uid:1001';
  expect(await stays()).toBe(true);
});
