/** The first half of `npm run package`: builds apart from `dist`, where old files lie for hosts that still run from them. */
import { join } from 'node:path';
import { buildInto } from './build.ts';

buildInto(join(import.meta.dirname, '..', '.cache', 'package', 'dist')); // electron-builder.yml takes it from there
