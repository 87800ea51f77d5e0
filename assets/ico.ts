/** The .ico container, written by hand: a directory of PNG images (Windows Vista and later read PNG entries). */

export interface IcoImage {
  /** Width and height in pixels, 1 to 256. */
  readonly size: number;
  readonly png: Uint8Array;
}

const headerBytes = 6;
const entryBytes = 16;

/** https://learn.microsoft.com/previous-versions/ms997538(v=msdn.10): ICONDIR, ICONDIRENTRY…, then the images. */
export function writeIco(images: readonly IcoImage[]): Buffer {
  const sorted = images.toSorted((a, b) => a.size - b.size);
  const head = Buffer.alloc(headerBytes + entryBytes * sorted.length);
  head.writeUInt16LE(1, 2); // 1 = icon
  head.writeUInt16LE(sorted.length, 4);
  let offset = head.length;
  sorted.forEach(({ size, png }, i) => {
    const at = headerBytes + entryBytes * i;
    // 0 stands for 256: the field is one byte.
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4); // planes
    head.writeUInt16LE(32, at + 6); // bits per pixel
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...sorted.map(({ png }) => png)]);
}

export function readIco(file: Buffer): IcoImage[] {
  return Array.from({ length: file.readUInt16LE(4) }, (_, i) => {
    const at = headerBytes + entryBytes * i;
    const offset = file.readUInt32LE(at + 12);
    return { size: file.readUInt8(at) || 256, png: file.subarray(offset, offset + file.readUInt32LE(at + 8)) };
  });
}
