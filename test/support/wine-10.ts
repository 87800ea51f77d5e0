/**
 * Wine 10 beside the system, without root: Debian's own packages, downloaded with an apt configuration of their own,
 * unpacked, and bound to their own C library. Debian 12 has Wine 8, in which Node 24 does not start.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unpackDebian } from './debian-packages.ts';

const run = promisify(execFile);

const packages = [
  'libwine',
  'wine64',
  'libc6',
  'libunwind8',
  'libgcc-s1',
  'liblzma5',
  'libstdc++6',
  'libz-mingw-w64',
  'patchelf',
];

export interface WinePrograms {
  readonly wine: string;
  readonly wineserver: string;
}

export const wine10In = (root: string): WinePrograms => ({
  wine: join(root, 'usr/lib/wine/wine64'),
  wineserver: join(root, 'usr/lib/wine/wineserver'),
});

/** Where wineserver looks for its national language tables, as seen from its own folder. */
const tables = 'usr/share/wine/wine';

/** A tree that was unpacked before its tables were linked leans on those of the system's Wine. */
export const isWine10 = (root: string): boolean => existsSync(join(root, tables, 'nls'));

/** Makes `root`, which must not be there yet. Needs apt-get and dpkg-deb; throws when the packages cannot be had. */
export async function installWine10(root: string): Promise<void> {
  await mkdir(join(root, '..'), { recursive: true });
  const work = await mkdtemp(`${root}-`);
  try {
    const tree = join(work, 'root');
    await unpackDebian(packages, { suite: 'trixie', architecture: 'amd64', work, tree });
    await bindToOwnLibraries(tree, root);
    await addZlib(tree);
    await symlink('.', join(tree, tables));
    // The packaged wrapper looks for wineserver64 in /usr; -p0 ends the server with its last client.
    await writeFile(
      join(tree, 'usr/lib/wine/wineserver'),
      `#!/bin/sh\nexec "${root}/usr/lib/wine/wineserver64" -p0 "$@"\n`,
      {
        mode: 0o755,
      },
    );
    await rename(tree, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function bindToOwnLibraries(tree: string, root: string): Promise<void> {
  const libraries = 'usr/lib/x86_64-linux-gnu';
  const loader = join(tree, libraries, 'ld-linux-x86-64.so.2');
  for (const program of ['wine64', 'wineserver64'])
    await run(loader, [
      '--library-path',
      join(tree, libraries),
      join(tree, 'usr/bin/patchelf'),
      '--set-interpreter',
      join(root, libraries, 'ld-linux-x86-64.so.2'),
      '--force-rpath',
      '--set-rpath',
      join(root, libraries),
      join(tree, 'usr/lib/wine', program),
    ]);
}

/** What libwine's postinst does: mingw's zlib1.dll with the mark of Wine's own libraries, 32 bytes at offset 64. */
async function addZlib(tree: string): Promise<void> {
  for (const [from, to] of [
    ['x86_64-w64-mingw32', 'x86_64-windows'],
    ['i686-w64-mingw32', 'i386-windows'],
  ]) {
    const library = await readFile(join(tree, `usr/${from}/lib/zlib1.dll`));
    library.fill(0, 64, 96);
    library.write('Wine builtin DLL', 64, 'latin1');
    await writeFile(join(tree, `usr/lib/x86_64-linux-gnu/wine/${to}/zlib1.dll`), library);
  }
}
