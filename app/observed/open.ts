/** Joins observed scripts to a host: what it is allowed to do, where its lines go, which methods it answers. */
import type { Snapshot } from '../contract/methods.ts';
import type { HostLog } from '../domain/host-log.ts';
import { limits } from '../domain/limits.ts';
import type { OverviewScript } from '../domain/overview.ts';
import type { Actor } from '../domain/script.ts';
import type { Journal } from '../journal/journal.ts';
import { type HelperRuntime, openForeignProcesses, type ProcessControl } from '../processes/index.ts';
import { ObservedScripts } from './observed-scripts.ts';
import { OnIt } from './on-it.ts';
import type { ObservedSettings } from './options.ts';
import type { Askers } from './through-unjam.ts';

export interface OpenObservedOptions {
  readonly control: ProcessControl;
  readonly helper: HelperRuntime | undefined;
  readonly settings: () => ObservedSettings;
  readonly askers: () => Askers;
  readonly journal: Journal;
  readonly killDisabled: boolean;
  readonly beforeKill: (id: string, actor: Actor) => Promise<void>;
  readonly log: HostLog;
}

export async function openObserved(options: OpenObservedOptions): Promise<ObservedScripts> {
  const { control, helper, settings, askers, journal, killDisabled, beforeKill, log } = options;
  const observed = new ObservedScripts({
    control,
    foreign: await openForeignProcesses(control, helper),
    settings,
    askers,
    killDisabled,
    beforeKill,
    onIt: new OnIt(journal.list({ kind: 'taken', sinceMs: limits.takenMs })),
    record({ line, kind, actor, id, name, mutex, data }) {
      log(`${line.code} ${line.text}`, { ticket: id, name, mutex });
      journal.append({
        at: Date.now(),
        ticket: id,
        name,
        mutex,
        who: actor.user,
        via: actor.via,
        kind,
        code: line.code,
        text: line.text,
        source: null,
        data,
      });
    },
  });
  observed.start();
  return observed;
}

interface Source {
  snapshot(more: readonly OverviewScript[]): Snapshot;
  onChange(listener: () => void): () => void;
}

/** The snapshots of supervised scripts with the observed ones beside them. */
export const withObserved = (source: Source, observed: ObservedScripts) => ({
  snapshot(): Snapshot {
    const list = observed.current();
    return { ...source.snapshot(observed.stuckRows()), ...(list === null ? {} : { observed: list }) };
  },
  onChange(listener: () => void): () => void {
    const stops = [source.onChange(listener), observed.onChange(listener)];
    return () => stops.forEach((stop) => stop());
  },
});
