/** What the tests need beside npm's packages, installed where that is possible without asking. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { prepareWine } from './wine-setup.ts';

/** The same engine as /usr/bin/chromium without its window: the specs take 0.4 of the processor time. */
const headlessShell = '/usr/bin/chromium-headless-shell';

/** Shows that it is there; Debian's package; what it is for. */
const tools: readonly (readonly [file: string, name: string, what: string])[] = [
  [headlessShell, 'chromium-headless-shell', 'the browser specs'],
  ['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 'fonts-dejavu-core', 'screenshots'],
  ['/usr/bin/osslsigncode', 'osslsigncode', 'the packaging tests'],
  ['/usr/bin/makensis', 'nsis', 'the installer test'],
  ['/usr/bin/ps', 'procps', 'the tests of process trees'],
  ['/usr/bin/strace', 'strace', 'the test of outgoing command lines'],
  ['/usr/bin/systemd-analyze', 'systemd', 'the test of the systemd unit'],
  ['/usr/bin/zsh', 'zsh', 'the tests of completion'],
  ['/usr/bin/fish', 'fish', 'the tests of completion'],
  ['/usr/bin/man', 'man-db', 'the test of the man page'],
  ['/usr/bin/curl', 'curl', 'the example clients'],
  ['/usr/bin/jq', 'jq', 'the example clients'],
  ['/usr/bin/python3', 'python3', 'the example clients and the zip of evidence'],
  ['/usr/lib/python3/dist-packages/prometheus_client/__init__.py', 'python3-prometheus-client', 'the test of metrics'],
  ['/usr/lib/postgresql/15/bin/postgres', 'postgresql-15', 'the tests of a fleet'],
  ['/usr/bin/gdb', 'gdb', 'the stacks in a bundle of evidence'],
];

export const toolPackages: readonly string[] = tools.map(([, name]) => name);

/** Installs what is missing as root on a Debian; elsewhere names it. */
export function installTools(say: (line: string) => void): void {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return;
  const missing = tools.filter(([file]) => !existsSync(file) && !(file === headlessShell && process.env['CHROMIUM']));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(' ');
  if (process.getuid?.() !== 0) {
    say(`Missing for ${missing.map(([, , what]) => what).join(', ')}: run "apt-get install ${packages}" as root.`);
    return;
  }
  say(`Installing ${packages} …`);
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packages}`],
    { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  if (status !== 0) say(`They could not be installed:\n${`${stdout}${stderr}`.slice(-2_000)}`);
}

/** Wine, a Windows Node and a prefix, into `.cache/windows`; on Windows there is nothing to do. */
export async function installWine(say: (line: string) => void): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    await prepareWine();
  } catch (error) {
    say(`The Windows tests cannot be prepared: ${error instanceof Error ? error.message : String(error)}`);
  }
}
