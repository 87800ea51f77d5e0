/** A zip archive of a few texts (APPNOTE.TXT 6.3.3: deflate, UTF-8 names, no encryption). Node has the parts of one, not the whole. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  readonly text: string;
}

const utf8Names = 0x0800;
const deflated = 8;
/** Made on Unix: the upper half of the attributes is a mode, 0600. */
const madeOnUnix = 3 << 8;
const privateFile = (0o100600 << 16) >>> 0;

/** `at` in local time, as the format has it: to two seconds. */
export function zip(files: readonly ZipFile[], at: Date): Buffer {
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  const date = ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, text } of files) {
    const bytes = Buffer.from(text);
    const packed = deflateRawSync(bytes);
    const title = Buffer.from(name);
    // What both headers share: version needed, flags, method, time, date, crc, sizes, length of the name, no extra field.
    const shared = Buffer.alloc(26);
    [20, utf8Names, deflated, time, date].forEach((value, i) => shared.writeUInt16LE(value, 2 * i));
    [crc32(bytes), packed.length, bytes.length].forEach((value, i) => shared.writeUInt32LE(value, 10 + 4 * i));
    shared.writeUInt16LE(title.length, 22);
    const rest = Buffer.alloc(14); // no comment, first disk, binary
    rest.writeUInt32LE(privateFile, 6);
    rest.writeUInt32LE(offset, 10);
    const local = [signature(0x04034b50), shared, title, packed];
    entries.push(signature(0x02014b50), word(20 | madeOnUnix), shared, rest, title);
    bodies.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, directory, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
