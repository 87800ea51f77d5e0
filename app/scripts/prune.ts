/**
 * Removes finished scripts that are too old, too many or take too much space, and keeps the promise of an earlier
 * complete. Never one that lives, whose tree does, whose output is still open, or whose end was not told yet.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessControl } from '../processes/index.ts';
import type { HostLog } from '../domain/host-log.ts';
import type { Line } from '../domain/lines.ts';
import { completeScript, isPromised } from './verbs/complete.ts';
import type { ScriptRecord } from './record.ts';

/** What is kept of finished scripts. */
export interface Retention {
  /** From their end, ms. */
  readonly keepMs: number;
  readonly keepCount: number;
  /** All run directories together, bytes. The one that ended last is kept, however large it is. */
  readonly keepBytes: number;
}

export interface PrunerOptions {
  readonly control: ProcessControl;
  readonly forget: (record: ScriptRecord) => void;
  readonly log: HostLog;
}

/** So many are removed, and so many are measured, in one round: the host has other things to do. */
const atOnce = 200;
const namedTickets = 10;

export class Pruner {
  readonly #o: PrunerOptions;
  /** Measured once: nothing is written any more into what is finished. */
  readonly #bytes = new WeakMap<ScriptRecord, number>();

  constructor(options: PrunerOptions) {
    this.#o = options;
  }

  async round(records: readonly ScriptRecord[], keep: Retention): Promise<void> {
    const over = records.filter((r) => r.isFinal && !r.isOrphan).sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0));
    const now = Date.now();
    const whys = new Map<ScriptRecord, string | null>();
    for (const record of over) if (isPromised(record)) whys.set(record, null);
    for (const [i, record] of over.entries()) {
      if (whys.has(record)) continue;
      if (now - (record.endedAt ?? now) > keep.keepMs)
        whys.set(record, `it ended more than ${keep.keepMs / 86_400_000} days ago`);
      else if (i >= keep.keepCount) whys.set(record, `more than ${keep.keepCount} were kept`);
    }
    const rest = over.filter((r) => !whys.has(r) && r.tree !== null);
    for (const record of await this.#beyond(rest, keep.keepBytes))
      whys.set(record, `more than ${keep.keepBytes / 1e9} GB were kept`);

    const removed = new Map<string, string[]>();
    for (const [record, why] of [...whys].filter(([r]) => isTold(r)).slice(0, atOnce)) {
      if (!(await this.#remove(record)) || why === null) continue;
      removed.set(why, [...(removed.get(why) ?? []), record.spec.ticket]);
    }
    for (const [why, tickets] of removed) this.#o.log(`I322 ${removalText(tickets, why)}`);
  }

  /** `newestFirst` from the one on that no longer fits; empty as long as what fits is not measured. */
  async #beyond(newestFirst: readonly ScriptRecord[], keepBytes: number): Promise<readonly ScriptRecord[]> {
    let total = 0;
    let measured = 0;
    for (const [i, record] of newestFirst.entries()) {
      let bytes = this.#bytes.get(record);
      if (bytes === undefined) {
        if (measured === atOnce) return [];
        measured += 1;
        bytes = await spaceOf(record.directory.path);
        this.#bytes.set(record, bytes);
      }
      total += bytes;
      if (i > 0 && total > keepBytes) return newestFirst.slice(i);
    }
    return [];
  }

  async #remove(record: ScriptRecord): Promise<boolean> {
    const { control, forget, log } = this.#o;
    const scope = record.started?.scope;
    if (scope && record.tree?.emptyAt == null && control.treeLiveness(scope) !== 'dead') return false;
    if (scope && !isPromised(record) && control.isOutputOpen?.(scope) === true) return false;
    const say = (line: Line): void =>
      log(`${line.code} ${record.spec.ticket}: ${line.text}`, { ticket: record.spec.ticket });
    const removed = (await completeScript(record, control, say).catch(() => null))?.removed === true;
    if (removed) forget(record);
    return removed;
  }
}

/** Whoever wants to be told of the end was told: the run directory is what a repeated telling lives on. */
const isTold = ({ spec, directory }: ScriptRecord): boolean =>
  spec.notify === null || directory.readDelivered() !== null;

function removalText(tickets: readonly string[], why: string): string {
  const named = tickets.slice(0, namedTickets).join(', ');
  const more = tickets.length > namedTickets ? ` and ${tickets.length - namedTickets} more` : '';
  return `Removed ${tickets.length === 1 ? 'a finished script' : `${tickets.length} finished scripts`} with logs (${named}${more}): ${why}.`;
}

/** What a folder takes on the disk, bytes; 0 for what is gone meanwhile. */
async function spaceOf(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) {
    const status = await lstat(join(entry.parentPath, entry.name)).catch(() => null);
    // Where the file system does not tell its blocks, the length.
    if (status?.isFile() === true) bytes += status.blocks > 0 ? status.blocks * 512 : status.size;
  }
  return bytes;
}
