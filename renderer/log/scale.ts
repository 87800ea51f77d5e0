/**
 * Where a line stands in a scroll bar. Browsers end a page at about 33 million device pixels: at 300 % a million lines
 * are longer than that, so that a long log is drawn on a shorter bar. "Top" counts every line as one row high. Pure.
 */
export const rowHeight = 18;
const longestBar = 6_000_000;

export interface Scale {
  readonly rows: number;
  /** Height of the box. */
  readonly height: number;
  /** While lines are wrapped the last one may stand at the top. */
  readonly isWrapped: boolean;
}

export const barHeight = ({ rows, height, isWrapped }: Scale): number =>
  Math.min(longestBar, Math.max(0, isWrapped ? (rows - 1) * rowHeight + height : rows * rowHeight));

export const lastTop = ({ rows, height, isWrapped }: Scale): number =>
  Math.max(0, isWrapped ? (rows - 1) * rowHeight : rows * rowHeight - height);

export const isScaled = (scale: Scale): boolean => scale.isWrapped || scale.rows * rowHeight > longestBar;

export function topOf(scrolled: number, scale: Scale): number {
  const most = barHeight(scale) - scale.height;
  return most <= 0 ? 0 : Math.min(1, Math.max(0, scrolled / most)) * lastTop(scale);
}

export function scrolledOf(top: number, scale: Scale): number {
  const last = lastTop(scale);
  return last <= 0 ? 0 : (Math.min(last, Math.max(0, top)) / last) * (barHeight(scale) - scale.height);
}
