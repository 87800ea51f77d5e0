/** The preload as it is shipped: one CommonJS text. */
import { join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..', '..');

export async function buildPreload(): Promise<string> {
  const configFile = join(root, 'vite.preload.config.ts');
  const output = await build({ configFile, root, logLevel: 'silent', build: { write: false } });
  const chunks = [output].flat().flatMap((one) => ('output' in one ? one.output : []));
  const [chunk] = chunks;
  if (chunks.length !== 1 || chunk?.type !== 'chunk' || chunk.fileName !== 'preload.cjs')
    throw new Error(`The preload is not one file: ${chunks.map(({ fileName }) => fileName).join(', ')}`);
  return chunk.code;
}
