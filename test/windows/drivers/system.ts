/** What the host asks of Windows beside processes: the Event Log, and who is at the other end of a connection. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs, { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import {
  currentUser,
  machineKey,
  openConnectionOwner,
  openSystemLog,
  SystemLog,
} from '../../../app/processes/index.ts';
import { Access } from '../../../app/access/access.ts';
import { scheduledTask } from '../../../app/access/service-texts.ts';
import { serviceManager } from '../../../app/processes/service.ts';
import { machineHost, mayHost, recordMachineHost } from '../../../app/access/machine-host.ts';
import type { Role } from '../../../app/domain/access.ts';
import { accountId, ownerIds, ownPeer } from '../../../app/processes/accounts.ts';
import { writeMachineRecord } from '../../../app/processes/windows/machine-record.ts';
import { bind, type Handle, type Out } from '../../../app/processes/windows/ffi.ts';
import { closeHandle } from '../../../app/processes/windows/kernel.ts';
import { DebugPrivilege } from '../../../app/processes/windows/privilege.ts';
import { restrictPipe } from '../../../app/processes/windows/owner-only.ts';
import { serverOwner } from '../../../app/processes/windows/server-owner.ts';
import { changeMachinePath } from '../../../app/processes/windows/machine-path.ts';
import { withFolder, withoutFolder } from '../../../app/setup/path-list.ts';
import { windowsRegistry } from '../../../app/settings/registry.ts';
import { pipeListOf, pipeOwnerOf } from '../support/access-list.ts';
import { say, scenarios, until } from '../support/scenarios.ts';

const pipeName = (): string => `\\\\.\\pipe\\unjam-test-${randomBytes(8).toString('hex')}`;

const processToken = bind<(process: number, rights: number, token: Out) => number>(
  'advapi32',
  'int32',
  'OpenProcessToken',
  'intptr_t',
  'uint32',
  '_Out_ uintptr_t *', // prettier-ignore
);
const tokenInformation = bind<(token: Handle, kind: number, buffer: Buffer, size: number, needed: Out) => number>(
  'advapi32',
  'int32',
  'GetTokenInformation',
  'uintptr_t',
  'int',
  '_Out_ void *',
  'uint32',
  '_Out_ uint32 *', // prettier-ignore
);

/** TOKEN_PRIVILEGES: a count, and for each a LUID of 8 bytes (20 is SeDebugPrivilege) and its attributes. */
function hasDebugPrivilege(): boolean {
  const token: Out = [0];
  processToken(-1, 0x8, token);
  const buffer = Buffer.alloc(4_096);
  tokenInformation(token[0] ?? 0, 3, buffer, buffer.length, [0]);
  closeHandle(token[0] ?? 0);
  const entries = Array.from({ length: buffer.readUInt32LE(0) }, (_, i) => 4 + 12 * i);
  return entries.some((at) => buffer.readUInt32LE(at) === 20 && (buffer.readUInt32LE(at + 8) & 0x2) !== 0);
}

await scenarios({
  async 'event log'() {
    const write = await openSystemLog();
    const problems: string[] = [];
    const log = new SystemLog({ write: write!, wanted: () => true, problem: (sentence) => problems.push(sentence) });
    log.write('W201 Grün / step 4 [9f2c]: Cancel requested by CONTOSO\\kim (cli).');
    log.write('I212 second line');
    log.write('not for monitoring tools');
    await log.close();
    return { problems };
  },

  /** A policy as an administrator writes it: `reg.exe` sets it, and takes it away again. */
  async policy({ options }) {
    const reg = join(process.env['SystemRoot']!, 'System32', 'reg.exe');
    const key = 'HKLM\\Software\\Policies\\Unjam';
    const write = (...args: string[]): void => {
      const { status } = spawnSync(reg, [...args, '/reg:64', '/f'], { stdio: 'ignore', windowsHide: true });
      if (status !== 0) throw new Error(`reg.exe ${args.join(' ')} ended with ${status}`);
    };
    if (options['remove'] === 'yes') {
      write('delete', key);
      return { absent: await machineKey('Software\\Policies\\Unjam') };
    }
    const before = await machineKey('Software\\Policies\\Unjam');
    write('add', key, '/v', 'DisableForceKill', '/t', 'REG_DWORD', '/d', '1');
    write('add', key, '/v', 'Grün €', '/t', 'REG_SZ', '/d', 'grün €');
    write('add', key, '/v', 'OverdueFactor', '/t', 'REG_SZ', '/d', '2.5');
    return { before, values: await windowsRegistry.read() };
  },

  /** What neither is there nor can be read: a name that the registry refuses. */
  async 'registry error'() {
    const answer = await machineKey(`Software\\${'x'.repeat(300)}`).then(
      (values) => JSON.stringify(values),
      (error: unknown) => `failed: ${(error as Error).message}`,
    );
    return { answer };
  },

  async warnings({ control }) {
    return { warnings: control.warnings() };
  },

  /** A PATH of more than 1,024 characters gets a folder, and loses it again. */
  'machine path'() {
    const seen: string[] = [];
    const long = `C:\\${'long '.repeat(300)}`;
    changeMachinePath((path) => withFolder(path, long));
    changeMachinePath((path) => withFolder(path, 'C:\\grün\\bin'));
    changeMachinePath((path) => (seen.push(path), withoutFolder(path, 'c:\\GRÜN\\bin\\')));
    changeMachinePath((path) => (seen.push(path), withoutFolder(path, long)));
    changeMachinePath((path) => (seen.push(path), path));
    return Promise.resolve({ with: seen[0], without: seen[1], as: seen[2], long });
  },

  /** A server on a pipe, asked by this process and by another one, which stays connected. */
  async 'pipe owner'({ control, folder }) {
    const name = pipeName();
    const ownerOf = await openConnectionOwner(name);
    const owners: (string | null)[] = [];
    let ms = 0;
    const server = createServer((_incoming, answer) => answer.end('ok'));
    server.on('connection', (socket: Socket) => {
      const began = performance.now();
      owners.push(ownerOf(socket)?.user ?? null);
      ms = Math.max(ms, performance.now() - began);
    });
    server.listen(name);
    await once(server, 'listening');
    const asked = request({ socketPath: name, path: '/', agent: false });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    answer.resume();
    await once(answer, 'end');
    const child = spawn(process.execPath, [process.argv[1]!, 'stay connected', folder, JSON.stringify({ name })], {
      stdio: ['pipe', 'pipe', 'inherit'],
      windowsHide: true,
    });
    await once(child.stdout, 'data');
    const another = connect(name);
    await once(another, 'connect');
    await new Promise((resolve) => setImmediate(resolve));
    another.destroy();
    child.stdin.end();
    await once(child, 'exit');
    server.close();
    return { user: control.user, owners, ms };
  },

  /** Who serves a pipe of this process, and one that nobody serves; what the door of a host says of its caller. */
  async 'server owner'() {
    const name = pipeName();
    const server = createTcpServer();
    server.listen(name);
    await once(server, 'listening');
    const seen = { closed: restrictPipe(name, ['S-1-1-0']), list: pipeListOf(name), owner: pipeOwnerOf(name) };
    const [served, nobody] = [serverOwner(name), serverOwner(pipeName())];
    server.close();
    return { ...seen, served, nobody, own: await ownPeer() };
  },

  /** The clock of limits and graces beside the time since the machine started. */
  async clock({ control }) {
    const first = control.now();
    const uptime = 1_000 * os.uptime();
    const set = Date.now;
    Date.now = () => set() - 3_600_000;
    await until(() => control.now() >= first + 50, 'half a tenth of a second');
    Date.now = set;
    return { first, uptime };
  },

  /** Whether this process's token has SeDebugPrivilege switched on: before, within, after a fault, after its close. */
  async privilege() {
    const privilege = new DebugPrivilege();
    const before = hasDebugPrivilege();
    const within = privilege.use(hasDebugPrivilege);
    const fault = ((): string => {
      try {
        return privilege.use(() => {
          throw new Error('gone meanwhile');
        });
      } catch (error) {
        return (error as Error).message;
      }
    })();
    const after = hasDebugPrivilege();
    privilege.close();
    return { held: privilege.held, before, within, fault, after };
  },

  /** The record of the machine's host, from absence over a damaged one to absence. */
  async 'machine record'() {
    const answer = (): Promise<unknown> => machineHost().catch((error: unknown) => (error as Error).message);
    const host = {
      schema: 1,
      stateDirectory: 'C:\\grün & "Unjam" %PATH%',
      door: '\\\\.\\pipe\\unjam-machine',
      account: 'S-1-5-18',
    } as const;
    const before = await answer();
    await recordMachineHost(host);
    const written = await answer();
    const hosts = await mayHost(host);
    writeMachineRecord('{');
    const damaged = await answer();
    await recordMachineHost(null);
    await recordMachineHost(null);
    return { host, before, written, hosts, damaged, after: await answer() };
  },

  /** The host's task: registered twice, one that is no task, seen, removed twice. */
  async task() {
    const manager = serviceManager();
    const file = join(process.env['SystemRoot']!, 'System32', 'Tasks', 'Unjam', 'Host');
    const text = scheduledTask({ node: process.execPath, program: 'C:\\grün & co\\cli.js', stateDirectory: '' });
    const damaged = await manager.install(text.slice(0, 400)).then(
      () => 'installed',
      (error: unknown) => (error as Error).message,
    );
    await manager.install(text);
    // A scanner holds what is to be removed: the task stands all the same.
    const real = fs.rmSync;
    const table = fs as unknown as Record<string, unknown>;
    table['rmSync'] = () => {
      throw new Error('held');
    };
    syncBuiltinESMExports();
    await manager.install(text);
    table['rmSync'] = real;
    syncBuiltinESMExports();
    const registered = readFileSync(file, process.env['WINEPREFIX'] === undefined ? 'utf16le' : 'utf8');
    const { stateDirectory, door } = manager.places;
    const statuses = [await manager.status()];
    await recordMachineHost({ schema: 1, stateDirectory, door, account: manager.account });
    statuses.push(await manager.status());
    const server = createTcpServer();
    server.listen(door);
    await once(server, 'listening');
    statuses.push(await manager.status());
    server.close();
    await recordMachineHost(null);
    await manager.remove();
    const left = existsSync(file);
    await manager.remove().catch(() => undefined); // Wine answers that there is one, whatever is asked
    return { damaged, registered, statuses: statuses.map((status) => status.text), left };
  },

  /** Accounts and groups of this machine by their names, and the roles that follow. */
  async accounts() {
    const self = await ownPeer();
    const [account = '', ...groups] = self?.ids ?? [];
    const found: Record<string, string | null> = {};
    for (const name of [
      self?.user ?? '',
      'BUILTIN\\Users',
      'Everyone',
      'NT AUTHORITY\\SYSTEM',
      's-1-5-32-545',
      'nobody-here',
    ])
      found[name] = await accountId(name);
    const said: string[] = [];
    const roleWith = async (who: string, owners: readonly string[] = []): Promise<Role | null> => {
      const access = new Access({ owners, idOf: accountId, log: (line) => said.push(line) });
      await access.use([{ who, role: 'operator' }]);
      return self && access.roleOf(self);
    };
    return {
      account,
      groups,
      user: self?.user,
      found,
      owners: await ownerIds(),
      roles: {
        byAccount: await roleWith(self?.user ?? ''),
        byGroup: await roleWith('BUILTIN\\Users'),
        byNobody: await roleWith('nobody-here'),
        asOwner: await roleWith('nobody-here', await ownerIds()),
      },
      said,
    };
  },

  async 'stay connected'({ options }) {
    const socket = connect(options['name']!);
    await once(socket, 'connect');
    say({ connected: true });
    process.stdin.resume();
    await once(process.stdin, 'end');
    socket.destroy();
    return {};
  },

  async 'tcp owner'({ control }) {
    const ownerOf = await openConnectionOwner(null);
    const server = createTcpServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    const owner = ownerOf(socket)?.user ?? null;
    client.destroy();
    server.close();
    process.env['USERNAME'] = process.env['USERDOMAIN'] = 'somebody';
    return { user: control.user, owner, current: await currentUser() };
  },
});
