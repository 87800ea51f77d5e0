/** Builds what clients see from records and mutex states; reads nothing but log sizes. */
import type { Condition, MutexView, ProcessView, ScriptDetail, ScriptView, Snapshot } from '../../contract/methods.ts';
import { condition } from '../../domain/condition.ts';
import { mask } from '../../domain/redact.ts';
import type { ConditionFacts, Health, Thresholds } from '../../domain/condition-facts.ts';
import { type Estimate, estimates, type Usual } from '../../domain/estimate.ts';
import { evidence } from '../../domain/evidence.ts';
import { waitReason } from '../../domain/diagnosis-waits.ts';
import { deadlocks } from '../../domain/deadlock.ts';
import type { ProcessIdentity } from '../../domain/identity.ts';
import { actorText } from '../../domain/lines.ts';
import { type MutexState, placeOf } from '../../domain/mutex.ts';
import { nameKey } from '../../domain/names.ts';
import { overview, type OverviewScript } from '../../domain/overview.ts';
import { resultCode } from '../../domain/script.ts';
import { traceparentField } from '../../domain/trace.ts';
import type { ProcessControl } from '../../processes/index.ts';
import type { ScriptRecord, Taken } from '../record.ts';
import { blocker, isoTime, jointName, mutexView } from './mutex-view.ts';
import { verbs } from './possible-verbs.ts';

export interface ViewSources {
  readonly now: number;
  readonly machine: string;
  readonly records: ReadonlyMap<string, ScriptRecord>;
  readonly mutexes: readonly MutexState[];
  readonly health: (record: ScriptRecord) => Health | null;
  readonly usual: (record: ScriptRecord) => Usual | null;
  readonly thresholds: (record: ScriptRecord) => Thresholds;
  /** How much of the time since then the machine slept, ms. */
  readonly asleepSince: (since: number) => number;
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

const identityView = (p: ProcessIdentity) => ({
  pid: p.pid,
  startTime: p.startTime,
  startedAt: isoTime(p.startedAt),
  name: p.name,
});

const takenView = (taken: Taken | null): ScriptView['taken'] =>
  taken && { ...taken, since: isoTime(taken.since), until: isoTime(taken.until) };

const estimateView = ({ from, to, runs }: Estimate): ScriptView['estimate'] => ({
  from: isoTime(from),
  to: isoTime(to),
  runs,
});

export class Views {
  readonly #sources: ViewSources;
  readonly #stateOfRun = new Map<string, MutexState>();
  #deadlocks: ReadonlyMap<string, readonly string[]> | null = null;
  readonly #made = new Map<string, ScriptView>();
  readonly #estimated = new Map<MutexState, ReadonlyMap<string, Estimate>>();

  constructor(sources: ViewSources) {
    this.#sources = sources;
    for (const state of sources.mutexes)
      for (const entry of [...state.holders, ...state.queue, ...state.abandoned]) this.#stateOfRun.set(entry.id, state);
  }

  /** `more` is what the overview counts beside them. */
  snapshot(sequence: number, scripts: readonly ScriptRecord[], more: readonly OverviewScript[] = []): Snapshot {
    const views = scripts.map((r) => this.script(r)).sort(bySeverity);
    const rows: OverviewScript[] = views.map((v, i) => ({
      ...v,
      key: v.condition.key,
      next: v.condition.next,
      severity: v.condition.severity,
      attempted: this.#sources.records.get(nameKey(v.ticket))?.life.attempts.length ?? i,
      startedAt: v.startedAt === null ? null : Date.parse(v.startedAt),
      queuedAt: v.state === 'queued' ? Date.parse(v.createdAt) : null,
    }));
    return {
      sequence,
      at: isoTime(this.#sources.now),
      machine: this.#sources.machine,
      overview: overview(
        [...rows, ...more],
        this.#sources.mutexes.filter((m) => m.paused).map((m) => m.name),
        this.#sources.now,
      ),
      scripts: views,
      mutexes: this.mutexes(),
    };
  }

  script(record: ScriptRecord): ScriptView {
    const made = this.#made.get(record.spec.runId);
    if (made) return made;
    const { spec, verdict } = record;
    const facts = this.facts(record);
    const { stuck, ...said } = condition(facts);
    const state = this.#stateOfRun.get(spec.runId);
    const ahead = state === undefined ? null : blocker(state, spec.runId);
    const root = record.started?.scope.root ?? null;
    const view: ScriptView = {
      ticket: spec.ticket,
      name: spec.name,
      version: record.version,
      state: record.state,
      verdict: verdict?.kind ?? null,
      timeout: verdict?.timeout ?? null,
      exitCode: verdict ? (verdict.exitCode ?? record.exit?.code ?? null) : null,
      signal: verdict ? (verdict.signal ?? record.exit?.signal ?? null) : null,
      resultCode: resultCode(verdict),
      pid: root?.pid ?? null,
      process: root === null ? null : identityView(root),
      mutex: spec.isolation?.mutex ?? null,
      isolation: spec.isolation?.level ?? null,
      holdsMutex: facts.holdsMutex,
      blocks: facts.blocks,
      waitingFor: ahead?.ticket ?? null,
      holder:
        ahead === null
          ? null
          : {
              ticket: ahead.ticket,
              name: ahead.name,
              pid: ahead.pid,
              since: isoTime(ahead.since),
              stuck: facts.waiting?.holder?.stuck ?? false,
            },
      queuePosition: facts.waiting?.position ?? null,
      queueLength: facts.waiting?.of ?? null,
      ...(facts.waiting?.estimate ? { estimate: estimateView(facts.waiting.estimate) } : {}),
      ...traceparentField(spec.traceparent),
      createdAt: isoTime(spec.createdAt),
      startedAt: isoOrNull(facts.startedAt),
      endedAt: record.isFinal ? isoOrNull(record.endedAt) : null,
      lastOutputAt: isoOrNull(facts.lastOutputAt),
      stuck,
      orphan: facts.orphan,
      taken: takenView(record.taken(this.#sources.now)),
      condition: said as Condition,
    };
    this.#made.set(spec.runId, view);
    return view;
  }

  facts(record: ScriptRecord): ConditionFacts {
    const { spec } = record;
    const { now } = this.#sources;
    const state = this.#stateOfRun.get(spec.runId);
    const place = state ? placeOf(state, spec.runId) : null;
    const holds = place?.kind === 'holds';
    const ahead = state && place?.kind === 'waits' ? blocker(state, spec.runId) : null;
    const startedAt = record.started?.startedAt ?? null;
    const lastOutputAt = record.started === null ? null : record.lastOutputAt();
    const holder = ahead === null ? undefined : this.#sources.records.get(nameKey(ahead.ticket));
    return {
      now,
      state: record.state,
      stage: record.life.stage,
      stoppedBy: record.life.cause?.kind === 'cancelled' ? record.life.cause.actor : null,
      verdict: record.verdict,
      pid: record.started?.scope.root.pid ?? null,
      mutex: spec.isolation?.mutex ?? null,
      holdsMutex: holds,
      createdAt: spec.createdAt,
      startedAt,
      lastOutputAt,
      blocks: holds && state ? state.queue.length : 0,
      waiting:
        place?.kind === 'waits' && state
          ? {
              position: place.position,
              of: place.of,
              paused: state.paused !== null,
              estimate: this.#estimates(state).get(spec.runId) ?? null,
              holder:
                ahead === null
                  ? null
                  : {
                      name: ahead.name,
                      heldMs: now - ahead.since,
                      // After a removal the holder may be another script that had the same ticket.
                      stuck: !ahead.queued && holder && holder !== record ? this.script(holder).stuck : false,
                      ...(ahead.queued ? { queued: true as const } : {}),
                    },
            }
          : null,
      orphan: record.isOrphan,
      orphanEndedAt: record.life.orphanEndedAt,
      abandoned: record.abandoned ? { at: record.abandoned.at, by: record.abandoned.actor } : null,
      health: this.#sources.health(record),
      usual: this.#sources.usual(record),
      thresholds: this.#sources.thresholds(record),
      ...(startedAt === null
        ? {}
        : {
            asleep: {
              sinceOutputMs: this.#sources.asleepSince(Math.max(startedAt, lastOutputAt ?? 0)),
              sinceStartMs: this.#sources.asleepSince(startedAt),
            },
          }),
    };
  }

  /** Once for a whole queue. */
  #estimates(state: MutexState): ReadonlyMap<string, Estimate> {
    const made = this.#estimated.get(state);
    if (made) return made;
    const holders = new Set(state.holders.map((hold) => hold.id));
    const usual = ({ id, ticket }: { readonly id: string; readonly ticket: string }): Usual | null => {
      const record = this.#sources.records.get(nameKey(ticket));
      // After a removal it may be another script that had the same ticket.
      if (record?.spec.runId !== id) return null;
      return holders.has(id) && this.script(record).stuck ? null : this.#sources.usual(record);
    };
    const found = estimates(state, usual, this.#sources.now);
    this.#estimated.set(state, found);
    return found;
  }

  evidence(record: ScriptRecord): { for: string[]; against: string[] } {
    return evidence(this.facts(record));
  }

  detail(record: ScriptRecord, control: ProcessControl): ScriptDetail {
    const { spec } = record;
    const facts = this.facts(record);
    const state = this.#stateOfRun.get(spec.runId);
    return {
      ...this.script(record),
      command: [...spec.command],
      cwd: spec.cwd,
      actor: spec.actor,
      fence: record.started?.fence ?? null,
      runnerPid: record.runner?.runner.pid ?? null,
      runDirectory: record.directory.path,
      cancelSignal: spec.cancel.signal,
      graceMs: spec.cancel.graceMs,
      ...(spec.maskEnv ? { maskEnv: [...spec.maskEnv] } : {}),
      timeouts: { ...spec.timeouts, mutexMs: spec.isolation?.timeoutMs ?? null },
      evidence: evidence(facts),
      attempts: record.life.attempts.map((a) => ({
        ...a,
        at: isoTime(a.at),
        actor: a.actor === null ? 'Unjam' : actorText(a.actor),
      })),
      waiters: (facts.holdsMutex && state ? state.queue : []).map((w, i) => ({
        ticket: w.ticket,
        name: w.name,
        isolation: w.level,
        position: i + 1,
        since: isoTime(w.queuedAt),
      })),
      processes: processViews(record, control),
      verbs: verbs(record, facts, state === undefined ? null : jointName(state, spec.runId)),
      logBytes: record.logBytes(),
    };
  }

  /** Mutexes with a stuck holder first, then by the length of their queue. */
  mutexes(): MutexView[] {
    const stuck = (m: MutexView): number => (m.holders.some((h) => h.stuck) ? 0 : 1);
    return this.#sources.mutexes
      .map((m) => this.mutex(m))
      .sort((a, b) => stuck(a) - stuck(b) || b.waiters.length - a.waiters.length || a.name.localeCompare(b.name));
  }

  mutex(state: MutexState): MutexView {
    const isStuck = (ticket: string): boolean => {
      const record = this.#sources.records.get(nameKey(ticket));
      return record ? this.script(record).stuck : false;
    };
    return mutexView(state, (this.#deadlocks ??= deadlocks(this.#sources.mutexes)).get(state.name), isStuck);
  }
}

function processViews(record: ScriptRecord, control: ProcessControl): ProcessView[] {
  const scope = record.started?.scope;
  if (!scope || (record.isFinal && record.tree?.emptyAt)) return [];
  const survivors = record.life.stage.kind === 'unkillable' ? record.life.stage.survivors : [];
  const members = control.tree(scope);
  const depths = new Map<number, number>();
  return members.map((m) => {
    const depth = m.by === 'root' ? 0 : (depths.get(m.parentPid) ?? 0) + 1;
    depths.set(m.identity.pid, depth);
    const facts = control.facts(m.identity);
    const survivor = survivors.find((s) => s.process.pid === m.identity.pid);
    const waits = facts?.waitsFor ? ` (${facts.waitsFor})` : '';
    const reason = control.mainThread?.(m.identity) ?? null;
    return {
      pid: m.identity.pid,
      parentPid: m.parentPid,
      depth,
      name: m.identity.name,
      commandLine: mask(facts?.commandLine ?? m.identity.name).slice(0, 2_000),
      startedAt: isoTime(m.identity.startedAt),
      startTime: m.identity.startTime,
      cpuMs: m.cpuMs === null ? null : Math.round(m.cpuMs),
      ioBytes: facts?.ioBytes ?? null,
      state: m.state === 'kernel' ? `waits in kernel${waits}` : m.state,
      waits:
        m.state !== 'sleeping' ? null : control.mainThread ? reason && waitReason(reason) : (facts?.waitsFor ?? null),
      user: facts?.user ?? null,
      survivor: survivor ? { reason: survivor.reason, detail: survivor.detail } : null,
    };
  });
}

const severityOrder = { critical: 0, warning: 1, orphan: 2, info: 3, neutral: 4 } as const;

/** Severity, then blocks, then age; final ones last, newest first. */
function bySeverity(a: ScriptView, b: ScriptView): number {
  if ((a.state === 'final') !== (b.state === 'final')) return a.state === 'final' ? 1 : -1;
  if (a.state === 'final') return a.orphan === b.orphan ? b.createdAt.localeCompare(a.createdAt) : a.orphan ? -1 : 1;
  return (
    severityOrder[a.condition.severity] - severityOrder[b.condition.severity] ||
    b.blocks - a.blocks ||
    a.createdAt.localeCompare(b.createdAt)
  );
}
