/**
 * The rows of the list: which scripts, in which order, which one is selected. Rows never move while the pointer or the
 * focus is in the list; what would move is counted instead, and sorted when the person says so.
 */
import { SvelteSet } from 'svelte/reactivity';
import type { ScriptView, Snapshot } from '../contract.ts';
import { groups, isInGroup, matchesText, type Group } from '../scripts/filter.ts';
import { listed } from '../scripts/listed.ts';
import { appendNew, compareBy, compareScripts, countChanges, type Column, type Sorting } from '../scripts/order.ts';
import { byKey, toSet } from '../words/maps.ts';

const ticketOf = (script: ScriptView): string => script.ticket;

export interface Row {
  readonly view: ScriptView;
  /** The script is no longer known to the host; its row stays until the list is sorted again. */
  readonly gone: boolean;
}

export class ScriptList {
  group = $state<Group>('all');
  text = $state('');
  /** Only scripts of this host; '' is the own one, null all. */
  host = $state<string | null>(null);
  selected = $state<string | null>(null);
  /** Null = what needs attention first. */
  sorting = $state.raw<Sorting | null>(null);
  /** More rows, for Cancel of many. */
  readonly marked = new SvelteSet<string>();
  changes = $state(0);
  pointerInside = $state(false);
  focusInside = $state(false);
  /** A dialog was decided on from these rows: they keep their place behind it. */
  held = $state(false);

  /** What is to be known of other hosts beside their scripts. */
  notes = $state.raw<readonly string[]>([]);
  #own: readonly ScriptView[] = [];
  #others = $state.raw<readonly ScriptView[]>([]);
  /** Other hosts that have scripts in the list. */
  readonly hosts: readonly string[] = $derived(
    [...toSet(this.#others.map(({ elsewhere }) => elsewhere?.host ?? ''))].sort(),
  );
  #scripts = $state.raw(byKey<ScriptView>([], ticketOf));
  #order = $state.raw<readonly string[]>([]);
  /** As each row was seen last; not shown by itself, so that it need not be reactive. */
  #lastViews = byKey<ScriptView>([], ticketOf);

  readonly rows: readonly Row[] = $derived.by(() =>
    this.#order.flatMap((ticket): Row[] => {
      const view = this.#scripts.get(ticket);
      if (view !== undefined) return [{ view, gone: false }];
      const last = this.#lastViews.get(ticket);
      return last === undefined ? [] : [{ view: last, gone: true }];
    }),
  );
  readonly total: number = $derived(this.#scripts.size);
  readonly counts: Readonly<Record<Group, number>> = $derived.by(() => {
    const counts = { all: 0, stuck: 0, waiting: 0, running: 0, abandoned: 0, observed: 0, supervised: 0 };
    for (const script of this.#scripts.values())
      if (this.#isOfHost(script)) for (const group of groups) if (isInGroup(script, group)) counts[group] += 1;
    return counts;
  });
  /** Null as well when the filter shows nothing: the pane must not offer verbs for what is not in the list. */
  readonly selectedRow: Row | null = $derived(this.rows.length === 0 ? null : this.#rowOf(this.selected));

  /** An agent's own, also after it has gone. */
  isObserved(ticket: string | null): boolean {
    const view = this.#rowOf(ticket)?.view;
    return view?.observed !== undefined && view.elsewhere === undefined;
  }

  /** Scripts that are stuck now. */
  get stuck(): readonly ScriptView[] {
    return [...this.#scripts.values()].filter((script) => script.stuck);
  }

  get isFrozen(): boolean {
    return this.pointerInside || this.focusInside || this.held;
  }

  get(ticket: string): ScriptView | null {
    return this.#scripts.get(ticket) ?? null;
  }

  accept(snapshot: Snapshot): void {
    this.#own = listed(snapshot);
    this.#take();
    if (this.selected === null) this.selected = snapshot.overview.ticket ?? this.#order[0] ?? null;
  }

  /** Scripts of other hosts of the fleet, and what is to be said of those hosts. */
  acceptOthers(scripts: readonly ScriptView[], notes: readonly string[]): void {
    this.#others = scripts;
    this.notes = notes;
    if (scripts.length === 0) this.host = null;
    this.#take();
  }

  #take(): void {
    const all = [...this.#own, ...this.#others];
    this.#scripts = byKey(all, ticketOf);
    this.#lastViews = byKey([...this.#lastViews.values(), ...all], ticketOf);
    if (this.isFrozen && this.#order.length > 0) this.#keepPlaces();
    else this.sortAgain();
  }

  sortAgain(): void {
    this.#order = this.#target();
    this.changes = 0;
    const shown = toSet([...this.#order, ...(this.selected === null ? [] : [this.selected])]);
    this.#lastViews = byKey(
      [...this.#lastViews.values()].filter((script) => shown.has(script.ticket)),
      ticketOf,
    );
    for (const ticket of this.marked) if (!shown.has(ticket)) this.marked.delete(ticket);
    if (this.selected !== null && !this.#scripts.has(this.selected)) this.selected = this.#order[0] ?? null;
  }

  /** The person left the list: nothing holds the rows in place any more. */
  release(): void {
    if (!this.isFrozen && this.changes > 0) this.sortAgain();
  }

  show(group: Group, text: string, host = this.host): void {
    this.group = group;
    this.text = text;
    this.host = host;
    this.sortAgain();
  }

  /** Up, down, then the usual order again. */
  sortBy(column: Column): void {
    const { sorting } = this;
    const isDescending = !['name', 'host', 'mutex'].includes(column);
    if (sorting?.column !== column) this.sorting = { column, isDescending };
    else if (sorting.isDescending === isDescending) this.sorting = { column, isDescending: !isDescending };
    else this.sorting = null;
    this.sortAgain();
  }

  select(ticket: string): void {
    this.selected = ticket;
    this.marked.clear();
    if (!this.#order.includes(ticket) && this.#scripts.has(ticket)) this.show('all', '', null);
  }

  toggleMark(ticket: string): void {
    if (this.marked.size === 0 && this.selected !== null && this.selected !== ticket) this.marked.add(this.selected);
    if (!this.marked.delete(ticket)) this.marked.add(ticket);
  }

  markAll(): void {
    for (const ticket of this.#order) this.marked.add(ticket);
  }

  /** The next or previous row that needs attention, round the end. */
  attention(step: 1 | -1): string | null {
    const rows = this.rows;
    const from = rows.findIndex((row) => row.view.ticket === this.selected);
    for (let n = 1; n <= rows.length; n += 1) {
      const row = rows[(from + n * step + rows.length * 2) % rows.length];
      if (row !== undefined && !row.gone && needsAttention(row.view)) return row.view.ticket;
    }
    return null;
  }

  #keepPlaces(): void {
    const target = this.#target();
    this.#order = appendNew(this.#order, target);
    this.changes = countChanges(this.#order, target);
  }

  #target(): readonly string[] {
    return [...this.#scripts.values()]
      .filter((script) => this.#isOfHost(script) && isInGroup(script, this.group) && matchesText(script, this.text))
      .sort(this.sorting === null ? compareScripts : compareBy(this.sorting))
      .map((script) => script.ticket);
  }

  #isOfHost({ elsewhere }: ScriptView): boolean {
    return this.host === null || this.host === (elsewhere?.host ?? '');
  }

  #rowOf(ticket: string | null): Row | null {
    if (ticket === null) return null;
    const view = this.#scripts.get(ticket);
    if (view !== undefined) return { view, gone: false };
    const last = this.#lastViews.get(ticket);
    return last === undefined ? null : { view: last, gone: true };
  }
}

function needsAttention(script: ScriptView): boolean {
  return (
    script.stuck || script.orphan || script.condition.severity === 'critical' || script.condition.severity === 'warning'
  );
}
