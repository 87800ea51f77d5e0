/** The living scripts of a host as the engine keeps them for persons of the fleet. */
import type { z } from 'zod';
import { type HostScripts as HostScriptsSchema, ShownScripts } from '../contract/fleet-schemas.ts';
import { UnjamError, wrongField } from '../contract/errors.ts';
import type { Snapshot } from '../contract/methods.ts';
import { ticketProblem } from '../domain/names.ts';
import { hostsOf } from './hosts.ts';
import type { Engine } from './postgres.ts';
import { snapshotBytes } from './snapshot-schema.ts';

type ShownScripts = z.output<typeof ShownScripts>;
export type HostScripts = z.output<typeof HostScriptsSchema>;

/** More are left out, the stuck ones last. */
const shownMax = 200;
/** Between two times at which it is told what is no news, ms. */
const paceMs = 60_000;
/** After an engine has refused it, such as one with the schema before, ms. */
const restMs = 30_000;

/** As text; without what changes while nothing happens to a script: when it will probably start. */
export function shownText({ scripts, observed = [] }: Pick<Snapshot, 'scripts' | 'observed'>): string {
  const living: readonly Shown[] = [
    ...scripts
      .filter(({ state, orphan }) => state !== 'final' || orphan)
      .map(({ estimate: _estimate, traceparent: _traceparent, ...script }): Shown => ({ of: 'scripts', script })),
    ...observed.map((script): Shown => ({ of: 'observed', script })),
  ];
  const byNeed = living.toSorted((a, b) => Number(b.script.stuck) - Number(a.script.stuck));
  for (let count = Math.min(shownMax, byNeed.length); ; count = Math.floor(count * 0.9)) {
    const text = textOf(byNeed.slice(0, count), living.length - count);
    if (count === 0 || Buffer.byteLength(text) <= snapshotBytes) return text;
  }
}

type Shown =
  | { readonly of: 'scripts'; readonly script: ShownScripts['scripts'][number] }
  | { readonly of: 'observed'; readonly script: ShownScripts['observed'][number] };

function textOf(shown: readonly Shown[], leftOut: number): string {
  const all: ShownScripts = {
    scripts: shown.flatMap((one) => (one.of === 'scripts' ? [one.script] : [])),
    observed: shown.flatMap((one) => (one.of === 'observed' ? [one.script] : [])),
    leftOut,
  };
  return JSON.stringify(all);
}

/**
 * What is news at once: all but when it printed last, and how long something has lasted in the sentences on it, which
 * change while nothing happens.
 */
export const newsOf = (text: string): string =>
  text
    .replaceAll(/"lastOutputAt":"[^"]*"/g, '"lastOutputAt":""')
    .replaceAll(/"(?:label|headline)":"(?:[^"\\]|\\.)*"/g, (sentence) =>
      sentence.replaceAll(/\d+ (?:s|min|h|d)\b/g, '#'),
    );

/** Writes them when they have changed; what only lasts longer, once a minute. */
export class ShopWindow {
  readonly #engine: Engine;
  readonly #installation: string;
  readonly #look: () => Pick<Snapshot, 'scripts' | 'observed'>;
  #shown = { text: '', at: 0 };
  #isShowing = false;
  #restsUntil = 0;

  constructor(engine: Engine, installation: string, look: () => Pick<Snapshot, 'scripts' | 'observed'>) {
    this.#engine = engine;
    this.#installation = installation;
    this.#look = look;
  }

  /** Never rejects: the next beat comes soon. */
  async show(): Promise<void> {
    if (this.#isShowing || performance.now() < this.#restsUntil) return;
    this.#isShowing = true;
    try {
      const text = shownText(this.#look());
      const { text: shown, at } = this.#shown;
      const isNews = newsOf(text) !== newsOf(shown) || (text !== shown && performance.now() - at >= paceMs);
      if (!isNews) return;
      const [row] = await this.#engine.query<{ taken: boolean }>('select unjam.show_scripts($1, $2) as taken', [
        this.#installation,
        text,
      ]);
      if (row?.taken === true) this.#shown = { text, at: performance.now() };
    } catch (error) {
      if (error instanceof UnjamError) this.#restsUntil = performance.now() + restMs;
    } finally {
      this.#isShowing = false;
    }
  }
}

/** What every host has shown, with the hosts that have shown nothing. @throws Error as `Engine.query` */
export async function scriptsOf(engine: Engine): Promise<HostScripts[]> {
  const [hosts, rows] = await Promise.all([
    hostsOf(engine),
    // A host shows what has changed before each beat: until its last one nothing else had.
    engine.query<{ host: string; at: Date; scripts: string }>(
      `select s.host, s.scripts, case when h.retired_at is null then greatest(s.at, h.seen_at) else s.at end as at
         from unjam.snapshot s join unjam.host h on h.id = s.host`,
    ),
  ]);
  const shown = new Map(rows.map((row) => [row.host, row]));
  return hosts.map(({ id, state }) => {
    const row = shown.get(id);
    return { host: id, state, at: row?.at.toISOString() ?? null, ...readShown(row?.scripts ?? null) };
  });
}

const nothing: ShownScripts = { scripts: [], observed: [], leftOut: 0 };

/** Another host is not trusted: what is not as the contract says is not shown. */
export function readShown(text: string | null): ShownScripts & { readonly problem: string | null } {
  if (text === null) return { ...nothing, problem: null };
  try {
    const parsed = ShownScripts.safeParse(withoutUnknown(JSON.parse(text)));
    if (parsed.success) {
      // A person copies them into a command line.
      const [wrong] = parsed.data.scripts.flatMap(({ ticket }) => ticketProblem(ticket) ?? []);
      return wrong === undefined
        ? { ...parsed.data, problem: null }
        : { ...nothing, problem: `What it shows has a wrong ticket. ${wrong}` };
    }
    const { field, why } = wrongField(parsed.error.issues);
    return { ...nothing, problem: `What it shows is not what this version understands: "${field}": ${why}.` };
  } catch {
    return { ...nothing, problem: 'What it shows is not JSON.' };
  }
}

/** A newer host says more than this version knows. */
function withoutUnknown(value: unknown): unknown {
  for (const issue of ShownScripts.safeParse(value).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const holder = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
    for (const key of issue.keys) Reflect.deleteProperty(holder as object, key);
  }
  return value;
}
