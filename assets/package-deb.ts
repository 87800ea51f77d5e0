/** `npm run package:deb`: builds, and writes release/unjam_VERSION_amd64.deb. Needs dpkg-deb. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInto } from './build.ts';
import { makeDeb } from './deb.ts';

const repository = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
const dist = join(repository, '.cache', 'package', 'dist');
const file = join(repository, 'release', `unjam_${version}_amd64.deb`);
buildInto(dist);
makeDeb({ version, dist, file, compression: 'xz' });
process.stdout.write(`${file}\n`);
