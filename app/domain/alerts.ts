/**
 * Which facts of a host somebody elsewhere is told of, and which messages follow: one when a fact begins, one when it
 * is over. Pure.
 */
import { nameKey } from './names.ts';

export const alertKinds = ['stuck', 'unkillable', 'abandoned', 'orphan', 'mutex-wait', 'unwatched'] as const;
export type AlertKind = (typeof alertKinds)[number];

/** An orphan is worth an alert after this time, ms. */
export const orphanAfterMs = 3_600_000;
/** A fact that comes and goes is over only when it has not been seen for this long, ms. */
export const overAfterMs = 60_000;
/** A host that was away for longer than this while scripts lived left them unwatched, ms. */
const unwatchedAfterMs = 120_000;

/** Something that is so at this moment. */
export interface Fact {
  /** The same at every look, and no other fact's. */
  readonly key: string;
  readonly kind: AlertKind;
  readonly ticket: string | null;
  readonly script: string | null;
  readonly mutex: string | null;
  readonly text: string;
}

export interface AlertScript {
  readonly ticket: string;
  readonly name: string;
  readonly mutex: string | null;
  readonly state: string;
  readonly verdict: string | null;
  readonly stuck: boolean;
  readonly orphan: boolean;
  /** ISO time, as `endedAt`; together with the ticket it names one script for good. */
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly traceparent?: string | undefined;
  readonly condition: { readonly headline: string };
}

export interface AlertMutex {
  readonly name: string;
  readonly holders: readonly { readonly ticket: string; readonly name: string }[];
  readonly waiters: readonly { readonly ticket: string; readonly name: string; readonly since: string }[];
}

export interface Look {
  readonly now: number;
  readonly scripts: readonly AlertScript[];
  readonly mutexes: readonly AlertMutex[];
  /** A wait for a mutex is told after this time, ms. */
  readonly waitMs: number;
  /** The look before this one, also of an earlier host, ms. */
  readonly before: { readonly at: number; readonly living: number };
  /** True for the first look of a host. */
  readonly isFirst: boolean;
}

/** In the order of the kinds; no key twice. */
export function factsOf(look: Look): Fact[] {
  const { now, scripts, mutexes, waitMs, before, isFirst } = look;
  const of = (kind: AlertKind, script: AlertScript, text = script.condition.headline): Fact => ({
    key: `${kind}/${script.ticket}/${script.createdAt}`,
    kind,
    ticket: script.ticket,
    script: script.name,
    mutex: script.mutex,
    text,
  });
  const ended = (script: AlertScript): number => Date.parse(script.endedAt ?? '');
  const stuck = scripts.filter((s) => s.state !== 'final' && s.stuck).map((s) => of('stuck', s));
  const unkillable = scripts.filter((s) => s.state === 'unkillable').map((s) => of('unkillable', s));
  // One whose processes went at once is seen too: it was abandoned since the last look.
  const abandoned = scripts
    .filter((s) => s.verdict === 'abandoned' && (s.orphan || ended(s) > before.at))
    .map((s) => of('abandoned', s));
  const orphans = scripts.filter((s) => s.orphan && now - ended(s) >= orphanAfterMs).map((s) => of('orphan', s));
  const waits = mutexes.flatMap((mutex) => waitOf(mutex, now - waitMs) ?? []);
  const unwatched = isFirst && before.living > 0 && now - before.at >= unwatchedAfterMs ? [gap(before, now)] : [];
  return [...stuck, ...unkillable, ...abandoned, ...orphans, ...waits, ...unwatched];
}

function waitOf({ name, holders, waiters }: AlertMutex, since: number): Fact | null {
  const late = waiters.filter((waiter) => Date.parse(waiter.since) <= since);
  const [first] = late.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
  if (first === undefined) return null;
  const by = holders.map((holder) => `${holder.name} (${holder.ticket})`).join(', ');
  const who = `${first.name} (${first.ticket}) has waited for mutex ${name} since ${first.since}`;
  return {
    key: `mutex-wait/${nameKey(name)}`,
    kind: 'mutex-wait',
    ticket: first.ticket,
    script: first.name,
    mutex: name,
    text: `${who}; ${by === '' ? 'nobody holds it' : `held by ${by}`}. Waiting: ${waiters.length}.`,
  };
}

const gap = ({ at, living }: Look['before'], now: number): Fact => ({
  key: `unwatched/${at}`,
  kind: 'unwatched',
  ticket: null,
  script: null,
  mutex: null,
  text: `No host watched from ${new Date(at).toISOString()} to ${new Date(now).toISOString()}, and ${living} scripts or orphans lived when it went.`,
});

/** A fact that somebody was told of. */
export interface Known {
  readonly fact: Fact;
  /** Names this occurrence: the same in both of its messages, another one when the fact comes again. */
  readonly incident: string;
  /** Ms since 1970. */
  readonly begunAt: number;
  readonly seenAt: number;
  /** Names of the targets that were told. */
  readonly told: readonly string[];
}

export interface Recipient {
  readonly name: string;
  /** Absent = all. */
  readonly kinds?: readonly AlertKind[] | undefined;
}

export interface Decision {
  readonly known: readonly Known[];
  readonly messages: readonly { readonly target: string; readonly known: Known; readonly phase: 'begin' | 'end' }[];
}

/**
 * A target hears of a fact once when it begins, and once when it is over if it heard of its beginning; one that was
 * added later hears of what is still so.
 * @param newIncident a name that no other incident has
 */
export function decide(
  known: readonly Known[],
  facts: readonly Fact[],
  targets: readonly Recipient[],
  now: number,
  newIncident: () => string,
): Decision {
  const seen = new Map(facts.map((fact) => [fact.key, fact]));
  const before = new Map(known.map((one) => [one.fact.key, one]));
  const names = new Set(targets.map(({ name }) => name));
  const messages: Decision['messages'][number][] = [];
  const still = known.flatMap((one): Known[] => {
    if (seen.has(one.fact.key)) return [];
    // A clock that was set back must not keep a fact for ever.
    if (Math.abs(now - one.seenAt) < overAfterMs) return [one];
    for (const target of one.told.filter((name) => names.has(name)))
      messages.push({ target, known: one, phase: 'end' });
    return [];
  });
  const current = [...seen.values()].map((fact): Known => {
    const earlier = before.get(fact.key);
    const told = (earlier?.told ?? []).filter((name) => names.has(name));
    const untold = targets.filter(({ name, kinds }) => !told.includes(name) && (kinds?.includes(fact.kind) ?? true));
    const one: Known = {
      fact,
      incident: earlier?.incident ?? newIncident(),
      begunAt: earlier?.begunAt ?? now,
      seenAt: now,
      told: [...told, ...untold.map(({ name }) => name)],
    };
    for (const { name } of untold) messages.push({ target: name, known: one, phase: 'begin' });
    return one;
  });
  return { known: [...still, ...current], messages };
}

/** How long a delivery that failed so many times is put off, ms. */
export const retryAfterMs = (failures: number): number =>
  [5_000, 30_000, 120_000, 600_000, 1_800_000][failures - 1] ?? 3_600_000;
/** A message that could not be delivered for this long is given up, ms. */
export const giveUpAfterMs = 86_400_000;
