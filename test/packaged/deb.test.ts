/**
 * The package for Debian: installed, upgraded under a running script, removed and purged, on this Debian itself as a mount
 * namespace shows it through overlays, with process ids of its own. Nothing of it reaches the machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildInto } from '../../assets/build.ts';
import { makeDeb } from '../../assets/deb.ts';

let folder: string;
let missing: string | null = null;

/** Runs `script` as root of the view; what it changes is gone afterwards, and what it started has ended. */
function inView(script: string) {
  writeFileSync(join(folder, 'script'), `set -eu\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\n${script}`);
  // Folder by folder: what is mounted below / is not in an overlay of / itself.
  const view = `
    mount -t tmpfs none ${folder}/view
    cd ${folder}/view
    for name in bin sbin lib lib64; do cp -a /$name .; done
    for path in usr etc var/lib/dpkg; do
      mkdir -p $path .upper/$path .work/$path
      mount -t overlay overlay -o lowerdir=/$path,upperdir=$PWD/.upper/$path,workdir=$PWD/.work/$path $path
    done
    mkdir -p proc dev run mnt root var/log var/cache
    mkdir -m 1777 tmp
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --bind ${folder} mnt
    exec chroot . /bin/bash /mnt/script`;
  const args = ['--mount', '--pid', '--fork', '--kill-child', '/bin/bash', '-ec', view];
  return spawnSync('unshare', args, { encoding: 'utf8', env: { LANG: 'C.UTF-8', HOME: '/root' }, timeout: 300_000 });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-deb-'));
  spawnSync('mkdir', [join(folder, 'view')]);
  if (process.getuid?.() !== 0) missing = 'it needs root';
  else if (!existsSync('/usr/bin/dpkg-deb')) missing = 'it needs a Debian';
  else {
    const { status, stderr } = inView('true');
    if (status !== 0) missing = `this machine lends no overlay: ${stderr}`;
  }
  if (missing !== null) return;
  buildInto(join(folder, 'dist'));
  for (const version of ['0.1.0', '0.2.0'])
    makeDeb({ version, dist: join(folder, 'dist'), file: join(folder, `${version}.deb`), compression: 'none' });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dpkg = 'dpkg --force-unsafe-io --no-triggers';
/** Says what systemd is asked, as far as the package can ask here. */
const standIn = `
  mkdir -p /run/systemd/system
  rm -f /usr/bin/systemctl
  printf '#!/bin/sh\\necho "$@" >> /tmp/asked\\n[ "$1" != is-enabled ] || cat /tmp/enabled 2> /dev/null\\n' > /usr/bin/systemctl
  chmod 755 /usr/bin/systemctl`;

test('it is installed, upgraded under a running script, removed and purged; data stays until purge', (context) => {
  if (missing !== null) return context.skip(missing);
  const ran = inView(`
    export UNJAM_HOME=/var/lib/unjam
    ${dpkg} -i /mnt/0.1.0.deb > /dev/null
    echo "on the PATH: $(command -v unjam), $(unjam --version)"
    ls /usr/share/man/man1/unjam.1.gz /usr/share/bash-completion/completions/unjam /usr/share/zsh/vendor-completions/_unjam
    [ ! -e /etc/systemd/system/multi-user.target.wants/unjam.service ] && echo off
    unjam start --ticket t1 -- sh -c 'echo one; until [ -e /tmp/go ]; do sleep 0.1; done; echo two; exit 7'
    until unjam status t1 --json | grep -q '"state": "running"'; do :; done
    ${dpkg} -i /mnt/0.2.0.deb > /dev/null
    echo "upgraded: $(unjam --version)"
    echo "while it runs: $(ls -A /usr/lib/unjam | tr '\\n' ' ')"
    unjam serve --take-over > /tmp/serve 2>&1 &
    until unjam wait none 2>&1 | grep -q unknown-ticket; do :; done
    unjam start --ticket t2 -- true 2>&1
    touch /tmp/go
    unjam wait t1 > /dev/null 2>&1 || echo "exit status $?"
    unjam logs t1 --raw
    unjam serve --stop > /dev/null 2>&1
    until ! ls -l /proc/[0-9]*/exe 2> /dev/null | grep -q unjam/0.1.0/; do :; done
    ${dpkg} -i /mnt/0.2.0.deb > /dev/null
    echo "afterwards: $(ls -A /usr/lib/unjam | tr '\\n' ' ')"
    until ! ls -l /proc/[0-9]*/exe 2> /dev/null | grep -q unjam/; do :; done
    ${dpkg} -r unjam > /dev/null 2>&1
    echo "removed: $(ls -d /usr/bin/unjam /usr/lib/unjam /var/lib/unjam/runs/t1 2> /dev/null | tr '\\n' ' ')"
    ${dpkg} -P unjam > /dev/null 2>&1
    echo "purged: $(ls -d /var/lib/unjam /etc/unjam 2> /dev/null | tr '\\n' ' ')"
    dpkg-query -W unjam 2>&1 || true`);
  expect([ran.stdout.trimEnd().split('\n'), ran.stderr]).toEqual([
    [
      'on the PATH: /usr/bin/unjam, 0.1.0',
      '/usr/share/bash-completion/completions/unjam',
      '/usr/share/man/man1/unjam.1.gz',
      '/usr/share/zsh/vendor-completions/_unjam',
      'off',
      't1',
      'upgraded: 0.2.0',
      'while it runs: 0.1.0 0.2.0 ',
      't2',
      'exit status 7',
      'one',
      'two',
      'afterwards: 0.2.0 ',
      'removed: /var/lib/unjam/runs/t1 ',
      'purged: ',
      'dpkg-query: no packages found matching unjam',
    ],
    '',
  ]);
});

/** What the blocks of "In a container" do, as commands: an engine would do the same in the same order. */
function asCommands(dockerfile: string, lines: string): string {
  const said = (text: string, known: (line: string) => string | null): string[] =>
    text.trim().split('\n').map((line) => known(line) ?? expect.fail(`Nobody knows what this does: ${line}`)); // prettier-ignore
  let command = '';
  const built = said(dockerfile, (line) => {
    const [, word, rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (word === 'FROM') return '';
    if (word === 'COPY') return rest.replace(/^release\/unjam_0\.1\.0_amd64\.deb /, 'cp /mnt/0.1.0.deb ');
    if (word === 'RUN') return rest.replace('dpkg -i', `${dpkg} -i`).replace(' &&', ' > /dev/null &&');
    if (word === 'ENV') return `export ${rest}`;
    if (word === 'VOLUME') return `mkdir -p /mnt/volume ${rest}; mount --bind /mnt/volume ${rest}`;
    if (word === 'CMD') command = (JSON.parse(rest) as string[]).join(' ');
    return word === 'CMD' ? '' : null;
  });
  return said(lines, (line) => {
    if (line.startsWith('docker build ')) return built.join('\n');
    if (line.startsWith('docker run ')) return `${command} > /dev/null 2>&1 & until [ -S $UNJAM_HOME/host.sock ]; do sleep 0.1; done`; // prettier-ignore
    if (line.startsWith('docker exec unjam ')) return `${line.replace('docker exec unjam ', '')}; echo "status $?"`;
    return line === 'docker stop unjam' ? '' : null; // the view ends, and all in it
  }).join('\n');
}

test('the lines of docs/install.md for a container build it, and its host runs a script', (context) => {
  if (missing !== null) return context.skip(missing);
  const page = readFileSync(join(import.meta.dirname, '../../docs/install.md'), 'utf8');
  const [, dockerfile = '', lines = ''] = /^```dockerfile\n([^]*?)^```\n\n```sh\n([^]*?)^```/m.exec(page) ?? [];
  const ran = inView(`set +e\n${asCommands(dockerfile, lines)}`);
  expect(ran.stderr).toMatch(/^(unjam: I103 [^\n]*\n)?$/);
  expect(ran.stdout).toMatch(/ok {3}script: a script ran under a mutex[^\n]*\nstatus 0\ndeployed\nstatus 0\n$/);
  expect(existsSync(join(folder, 'volume/journal.sqlite'))).toBe(true);
});

test('its service is off until "unjam service install", is restarted by an upgrade, and goes with the package', (context) => {
  if (missing !== null) return context.skip(missing);
  const ran = inView(`
    ${standIn}
    asked() { echo "$1: $(paste -sd ';' /tmp/asked)"; rm -f /tmp/asked; }
    ${dpkg} -i /mnt/0.1.0.deb > /dev/null
    asked installed
    unjam service status || true
    rm -f /tmp/asked
    unjam service install > /dev/null
    asked wanted
    ls /etc/systemd/system/unjam.service 2> /dev/null || echo 'the unit is the package’s'
    grep -c door /etc/unjam/host.json
    echo enabled > /tmp/enabled
    ${dpkg} -i /mnt/0.2.0.deb > /dev/null
    asked upgraded
    grep -o '^ExecStart.*' /usr/lib/systemd/system/unjam.service
    ${dpkg} -r unjam > /dev/null
    asked removed
    ls /etc/unjam/host.json 2> /dev/null || echo no record`);
  expect([ran.stdout.trimEnd().split('\n'), ran.stderr]).toEqual([
    [
      'installed: daemon-reload;try-restart unjam.service',
      'Service: not installed',
      'wanted: daemon-reload;enable unjam.service;restart unjam.service',
      'the unit is the package’s',
      '1',
      'upgraded: daemon-reload;try-restart unjam.service',
      'ExecStart="/usr/lib/unjam/0.2.0/node" "/usr/lib/unjam/0.2.0/dist/cli.js" "serve" "--take-over"',
      'removed: disable --now unjam.service;daemon-reload;daemon-reload',
      'no record',
    ],
    '',
  ]);
});
