/**
 * In the host of the fuzzing, on SIGUSR2: collects all garbage and writes how much is left, in bytes, as a line into
 * UNJAM_FUZZ_HEAP. What V8 keeps beyond that it takes and gives back as it likes.
 */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env['UNJAM_FUZZ_HEAP'];
if (file !== undefined && process.argv.includes('serve'))
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    appendFileSync(file, `${heapUsed + external}\n`);
  });
