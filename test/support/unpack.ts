/** Reads a zip with another program than the one that wrote it. */
import { execFileSync } from 'node:child_process';

const program =
  'import zipfile,sys,json; z=zipfile.ZipFile(sys.argv[1]); print(json.dumps({n: z.read(n).decode() for n in z.namelist()}))';

/** The texts in it, by name. */
export const unpack = (path: string): Record<string, string> =>
  JSON.parse(execFileSync('python3', ['-c', program, path], { encoding: 'utf8', maxBuffer: 64e6 })) as Record<
    string,
    string
  >;
