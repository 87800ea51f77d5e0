/** Saves bundles of evidence into the folders of scripts, and hands them out. */
import {
  existsSync,
  openSync,
  closeSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';
import type { Output, ScriptDetail } from '../contract/methods.ts';
import * as lines from '../domain/lines.ts';
import { randomHex } from '../domain/random.ts';
import type { Actor } from '../domain/script.ts';
import { systemProblem } from '../domain/system-errors.ts';
import { collect, evidenceLimits, type EvidenceSources } from './collect.ts';
import type { Member } from './parts.ts';
import { zip } from './zip.ts';

/** What a bundle is made of, and where it is put. */
export interface EvidenceRecord {
  /** Or the id of an observed script. */
  readonly ticket: string;
  readonly name: string;
  /** Told apart from other runs of the same ticket. */
  readonly runId: string;
  /** `over`: no process of it is left. */
  readonly stage: 'waits' | 'lives' | 'over';
  readonly folder: string;
  readonly members: () => readonly Member[];
  readonly environmentNames: readonly string[];
  /** The agent that started it by itself; null for a script of Unjam. */
  readonly agent: string | null;
}

export interface EvidenceParts extends EvidenceSources {
  readonly record: (ticket: string) => EvidenceRecord | Promise<EvidenceRecord>;
  readonly detail: (ticket: string) => ScriptDetail | Promise<ScriptDetail>;
  /** Whether a bundle is wanted before something is ended or abandoned. */
  readonly isWanted: () => boolean;
  /** Before a bundle is written; makes the folder, where a script has none of its own. */
  readonly makeRoom?: (folder: string) => void;
  /** Writes a line where those of this script go. */
  readonly note: (record: EvidenceRecord, actor: Actor, line: lines.Line) => void;
}

/**
 * A person who asks for it waits as long as this for what is slow; a verb never waits longer than the second. For a time
 * limit nothing waits, and the script may be gone after the third.
 */
const budgets = { asked: 10_000, verb: 2_000, limit: 4_000 } as const;
/** Of the last two: what is kept for packing and writing. */
const writingMs = 400;
const partBytes = 524_288;
const bundleName = /^evidence-\d{8}-\d{6}(?:-\d+)?\.zip$/;

type Saved = Output<'scripts.evidence'>;

export class Evidence {
  readonly #parts: EvidenceParts;
  readonly #underWay = new Map<string, Promise<Saved>>();

  constructor(parts: EvidenceParts) {
    this.#parts = parts;
  }

  /**
   * A new bundle; of a script whose processes have gone the one that was saved while they were there, when there is one.
   * @throws UnjamError `unknown-ticket`, `system`
   */
  async save(ticket: string, actor: Actor): Promise<Saved> {
    const record = await this.#parts.record(ticket);
    const [last] = record.stage === 'over' ? bundles(record.folder) : [];
    if (last !== undefined) return { ...described(record, last), collected: false, missing: [] };
    return this.#collected(record, actor, null, budgets.asked);
  }

  /**
   * A bundle where the settings want one. Never throws and never takes longer than its budget: what was not saved by
   * then is said, and the verb goes on.
   */
  async beforeEnd(what: 'Cancel' | 'Force Kill' | 'Abandon' | 'its time limit', ticket: string, actor: Actor): Promise<void> {
    if (!this.#parts.isWanted()) return;
    const budget = what === 'its time limit' ? budgets.limit : budgets.verb;
    const late = new AbortController();
    try {
      const record = await this.#parts.record(ticket);
      if (record.stage !== 'lives') return;
      const saving = this.#collected(record, actor, `before ${what}`, budget - writingMs);
      const told = saving.then(
        () => null,
        (error: Error) => error.message,
      );
      const problem = await Promise.race([told, delay(budget, `it took longer than ${budget / 1000} s`, { signal: late.signal })]);
      if (problem !== null)
        this.#parts.note(record, actor, lines.evidenceNotSaved(what, problem));
    } catch {
      // There is no such script, or its log cannot be written: the verb itself says so.
    } finally {
      late.abort();
    }
  } // prettier-ignore

  /** @throws UnjamError `unknown-ticket`, `bad-input`, `not-possible` */
  async read(ticket: string, file: string, from: number): Promise<Output<'evidence.read'>> {
    const record = await this.#parts.record(ticket);
    if (!bundleName.test(file))
      throw new UnjamError(
        'bad-input',
        `"file": "${file}" is not the name of a bundle.`,
        'Take the name that scripts.evidence answers.',
        'file',
      );
    const path = join(record.folder, file);
    if (!existsSync(path))
      throw new UnjamError('not-possible', `There is no "${file}" beside "${record.name}".`, 'Save a new bundle.');
    const handle = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(partBytes);
      const length = readSync(handle, bytes, 0, bytes.length, from);
      const size = statSync(path).size;
      const next = from + length;
      return { base64: bytes.toString('base64', 0, length), next: next < size ? next : null, bytes: size };
    } finally {
      closeSync(handle);
    }
  }

  /** Two who ask at the same time get the same bundle. */
  #collected(record: EvidenceRecord, actor: Actor, occasion: string | null, budgetMs: number): Promise<Saved> {
    const key = record.runId;
    const begun = this.#underWay.get(key);
    if (begun) return begun;
    const saving = this.#write(record, actor, occasion, budgetMs).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, saving);
    return saving;
  }

  async #write(record: EvidenceRecord, actor: Actor, occasion: string | null, budgetMs: number): Promise<Saved> {
    const { ticket, folder, environmentNames, agent } = record;
    const script = await this.#parts.detail(ticket);
    const subject = { script, members: record.members(), environmentNames, agent };
    const by = lines.actorText(actor);
    const { files, missing } = await collect(subject, { by, occasion, budgetMs }, this.#parts);
    const at = new Date();
    const bytes = zip(files, at);
    const name = freeName(folder, at);
    const temporary = join(folder, `${name}.${process.pid}.${randomHex(8)}.tmp`);
    try {
      this.#parts.makeRoom?.(folder);
      writeFileSync(temporary, bytes, { mode: 0o600 });
      renameSync(temporary, join(folder, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      const problem = systemProblem(error);
      throw new UnjamError(
        'system',
        `The evidence of "${record.name}" could not be saved: ${problem?.text ?? (error as Error).message}.`,
        problem?.next ?? `Look at "${folder}".`,
      );
    }
    for (const old of bundles(folder).slice(evidenceLimits.kept)) rmSync(join(folder, old), { force: true });
    const line = lines.evidenceSaved({ actor, occasion, file: name, bytes: bytes.length, missing });
    this.#parts.note(record, actor, line);
    return { ...described(record, name), collected: true, missing: [...missing] };
  } // prettier-ignore
}

/** Newest first. The second one of a moment has a longer name, and sorts behind the first without the extension. */
const bundles = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => bundleName.test(name))
        .map((name) => name.slice(0, -'.zip'.length))
        .toSorted()
        .toReversed()
        .map((name) => `${name}.zip`)
    : [];

function described({ ticket, folder }: EvidenceRecord, file: string): Omit<Saved, 'collected' | 'missing'> {
  const path = join(folder, file);
  const { size, mtime } = statSync(path);
  return { ticket, file: basename(path), path, bytes: size, at: mtime.toISOString() };
}

/** `evidence-20261201-144501.zip`, in UTC: names sort as times do. */
function freeName(folder: string, at: Date): string {
  const stamp = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  for (let n = 1; ; n += 1) {
    const name = `evidence-${stamp}${n === 1 ? '' : `-${n}`}.zip`;
    if (!existsSync(join(folder, name))) return name;
  }
}
