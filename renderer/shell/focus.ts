/** Moves the focus between the parts of the window. A part says what it is with `data-part`. */
const order = [
  'views',
  'verdict',
  'filter',
  'list',
  'detail',
  'log',
  'mutexes',
  'hosts',
  'history',
  'settings',
  'status',
] as const;
export type Part = (typeof order)[number];

const focusable = 'button, input, select, a[href], summary, [tabindex="0"]';

function element(part: Part): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-part="${part}"]`);
}

function isVisible(found: HTMLElement): boolean {
  return found.checkVisibility({ visibilityProperty: true });
}

export function focusPart(part: Part): boolean {
  const root = element(part);
  if (root === null || !isVisible(root)) return false;
  const row = root.querySelector<HTMLElement>('[role="row"][tabindex="0"]');
  if (row !== null) {
    row.focus({ preventScroll: true });
    return true;
  }
  if (root.tabIndex >= 0 || root.hasAttribute('tabindex')) {
    root.focus();
    return true;
  }
  const target = [...root.querySelectorAll<HTMLElement>(focusable)].find(isVisible);
  target?.focus();
  return target !== undefined;
}

/** F6 and Shift+F6. */
export function focusNextPart(step: 1 | -1): void {
  const parts = order.map((part) => `[data-part="${part}"]`).join();
  const here = document.activeElement?.closest<HTMLElement>(parts)?.dataset['part'];
  const from = order.findIndex((part) => part === here);
  for (let n = 1; n <= order.length; n += 1) {
    const part = order[(Math.max(from, step === 1 ? -1 : 0) + n * step + order.length * 2) % order.length];
    if (part !== undefined && focusPart(part)) return;
  }
}
