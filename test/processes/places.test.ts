/** Where the socket of a state directory lies, and where an administrator notes the machine's host. Linux. */
import { afterEach, expect, test, vi } from 'vitest';
import { recordPath } from '../../app/processes/machine-record.ts';
import { hostAddress } from '../../app/processes/places.ts';
import { serviceManager } from '../../app/processes/service.ts';

afterEach(() => void vi.unstubAllEnvs());
const onLinux = test.skipIf(process.platform === 'win32');

onLinux('a socket lies in its state directory up to 103 bytes; from 104 on in a short folder, that of the session where there is one', () => {
  const directory = (length: number): string => `/${'d'.repeat(length - 1 - '/host.sock'.length)}`;
  expect(hostAddress(directory(103))).toBe(`${directory(103)}/host.sock`);
  vi.stubEnv('XDG_RUNTIME_DIR', '/run/user/7');
  expect(hostAddress(directory(104))).toMatch(/^\/run\/user\/7\/unjam-[0-9a-f]{24}\/host\.sock$/);
  vi.stubEnv('XDG_RUNTIME_DIR', '');
  vi.stubEnv('TMPDIR', '/tmp');
  expect(hostAddress(directory(104))).toMatch(/^\/tmp\/unjam-\d+-[0-9a-f]{24}\/host\.sock$/);
}); // prettier-ignore

onLinux('the machine’s host is noted in /etc/unjam/host.json, and its door is /run/unjam/host.sock', () => {
  expect(recordPath({})).toBe('/etc/unjam/host.json');
  expect(serviceManager().places).toEqual({ stateDirectory: '/var/lib/unjam', door: '/run/unjam/host.sock' });
});
