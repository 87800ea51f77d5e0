/**
 * Tells apart what several processes make at once. Not for secrets, and on purpose not from node:crypto: loading that
 * costs every runner 4 to 6 ms of its start (docs/benchmarks.md).
 */
export function randomHex(digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, digits);
}

/** FNV-1a, 64 bit, of the UTF-16 code units: for file names that a readable part alone does not tell apart. 16 digits. */
export function hashHex(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i += 1)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
