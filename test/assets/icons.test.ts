/** The icons are complete, and tell the states apart by shape: colours are not needed, and at 16 px either. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readIco } from '../../assets/ico.ts';

const assets = join(import.meta.dirname, '..', '..', 'assets');
const tray = join(assets, 'tray');
const icons = [
  ...readdirSync(tray)
    .filter((name) => name.endsWith('.ico'))
    .map((name) => join(tray, name)),
  join(assets, 'icons', 'app.ico'),
];
const shapes = ['idle', 'running', 'waiting', 'stuck', 'orphan', 'offline'];

test.each(icons)('%s has every size that Windows asks for, as PNG', (file) => {
  const images = readIco(readFileSync(file));
  expect(images.map((image) => image.size)).toEqual([16, 20, 24, 32, 40, 48, 64, 256]);
  for (const { size, png } of images) expect(decode(png)).toMatchObject({ width: size, height: size });
});

describe.each(['light', 'dark'])('on a %s taskbar, at 16 px and without colour', (taskbar) => {
  const background = taskbar === 'light' ? 0xf3 : 0x20;
  const grey = (shape: string, size: number) => {
    const image = readIco(readFileSync(join(tray, `${shape}-${taskbar}.ico`))).find((one) => one.size === size);
    return onBackground(decode(image?.png ?? Buffer.alloc(0)).rgba, background);
  };
  const pairs = shapes.flatMap((a, i) => shapes.slice(i + 1).map((b) => [a, b] as const));

  test.each(pairs)('%s and %s differ in at least a tenth of the picture', (a, b) => {
    const [left, right] = [grey(a, 16), grey(b, 16)];
    const differing = left.filter((value, i) => Math.abs(value - (right[i] ?? 0)) > 64).length;
    expect(differing).toBeGreaterThanOrEqual(0.1 * 256);
  });

  test.each(shapes)('%s stands out from the taskbar', (shape) => {
    // 3:1 against the taskbar is what WCAG 1.4.11 asks of a graphic; its darkest or lightest pixels must reach far more.
    const strong = grey(shape, 16).filter((value) => Math.abs(value - background) > 140).length;
    expect(strong).toBeGreaterThanOrEqual(20);
  });
});

/** 8-bit RGBA or RGB, not interlaced: what Chromium writes. https://www.w3.org/TR/png-3/ */
function decode(file: Uint8Array): { width: number; height: number; rgba: Uint8Array } {
  const png = Buffer.from(file);
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
  const [width, height, channels] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const rows = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const value = raw[y * (stride + 1) + 1 + x] ?? 0;
      const left = x < channels ? 0 : (rows[y * stride + x - channels] ?? 0);
      const up = y === 0 ? 0 : (rows[(y - 1) * stride + x] ?? 0);
      const corner = y === 0 || x < channels ? 0 : (rows[(y - 1) * stride + x - channels] ?? 0);
      rows[y * stride + x] = value + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0]!;
    }
  }
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < channels; c++) rgba[i * 4 + c] = rows[i * channels + c] ?? 0;
  return { width, height, rgba };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** Luminance of each pixel over a grey background. */
function onBackground(rgba: Uint8Array, background: number): number[] {
  return Array.from({ length: rgba.length / 4 }, (_, i) => {
    const [r = 0, g = 0, b = 0, a = 0] = rgba.subarray(i * 4, i * 4 + 4);
    return ((0.2126 * r + 0.7152 * g + 0.0722 * b) * a + background * (255 - a)) / 255;
  });
}
