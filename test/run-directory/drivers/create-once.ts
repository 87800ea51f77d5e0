/** One of many processes that want to be first: waits for the starting shot (end of stdin), then creates the file. */
import { createOnce } from '../../../app/run-directory/atomic-file.ts';

const [, , path = '', who = ''] = process.argv;
process.stdout.write('r');
process.stdin.resume().on('end', () => {
  process.stdout.write(String(createOnce(path, { who, padding: 'x'.repeat(20_000) }, 'unsynced')));
});
