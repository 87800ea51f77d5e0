/** Contrast computed from the tokens: every text colour on every background that it can meet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const styles = join(import.meta.dirname, '../../renderer/styles');
const source = readFileSync(join(styles, 'tokens.css'), 'utf8') + readFileSync(join(styles, 'ansi.css'), 'utf8');
const pairs = new Map(
  [...source.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name ?? '',
    { light: light ?? '', dark: dark ?? '' },
  ]),
);

const rowBackgrounds = [
  'bg',
  'surface',
  'raised',
  'subtle',
  'hover',
  'selected',
  'selected-away',
  'critical-tint',
  'lane',
  'unjam-tint',
];
const logBackgrounds = ['log', 'unjam-tint', 'selected'];
const texts = ['text', 'text-2', 'critical', 'warning', 'ok', 'accent', 'orphan'];
const ansi = Array.from({ length: 16 }, (_, n) => `ansi-${n}`);

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function tooLow(
  theme: 'light' | 'dark',
  foregrounds: readonly string[],
  backgrounds: readonly string[],
  least: number,
): string[] {
  const colour = (name: string): string => pairs.get(name)?.[theme] ?? `missing ${name}`;
  return foregrounds.flatMap((front) =>
    backgrounds.flatMap((back) => {
      const ratio = contrast(colour(front), colour(back));
      return ratio >= least ? [] : [`${front} on ${back}: ${ratio.toFixed(2)}`];
    }),
  );
}

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it('has text of at least 4.5:1 on every row background', () =>
    expect(tooLow(theme, texts, rowBackgrounds, 4.5)).toEqual([]));
  it('has terminal colours of at least 4.5:1 in the log', () =>
    expect(tooLow(theme, ansi, logBackgrounds, 4.5)).toEqual([]));
  it('has control borders and focus rings of at least 3:1', () =>
    expect(tooLow(theme, ['control', 'focus'], rowBackgrounds, 3)).toEqual([]));
  it('has readable filled buttons and search hits', () => {
    expect(tooLow(theme, ['on-danger'], ['danger'], 4.5)).toEqual([]);
    expect(tooLow(theme, ['on-accent', 'on-accent-2'], ['accent', 'accent-hover'], 4.5)).toEqual([]);
    expect(tooLow(theme, ['text'], ['hit'], 4.5)).toEqual([]);
  });
});
