/** Saves bundles of evidence into the run directories of scripts, and hands them out. */
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
import type { EventBody } from '../domain/events.ts';
import * as lines from '../domain/lines.ts';
import { randomHex } from '../domain/random.ts';
import type { Actor, ScriptSpec, TreeScope } from '../domain/script.ts';
import { systemProblem } from '../domain/system-errors.ts';
import { collect, evidenceLimits, type EvidenceSources } from './collect.ts';
import { zip } from './zip.ts';

/** What a bundle is made of, and where it is put. */
export interface EvidenceRecord {
  readonly spec: ScriptSpec;
  readonly started: { readonly scope: TreeScope } | null;
  readonly isFinal: boolean;
  readonly isOrphan: boolean;
  readonly directory: { readonly path: string };
}

export interface EvidenceParts extends EvidenceSources {
  readonly record: (ticket: string) => EvidenceRecord;
  readonly detail: (ticket: string) => ScriptDetail;
  /** Whether a bundle is wanted before something is ended or abandoned. */
  readonly isWanted: () => boolean;
  /** Writes a line into the script's log. */
  readonly note: (ticket: string, body: EventBody, line: lines.Line) => void;
}

/** A person who asks for it waits as long as this for what is slow; a verb never waits longer than the second. */
const budgets = { asked: 10_000, verb: 2_000 } as const;
/** Of a verb's time: what is kept for packing and writing. */
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
    const record = this.#parts.record(ticket);
    const [last] = record.isFinal && !record.isOrphan ? bundles(record.directory.path) : [];
    if (last !== undefined) return { ...described(record, last), collected: false, missing: [] };
    return this.#collected(record, actor, null, budgets.asked);
  }

  /**
   * A bundle where the settings want one. Never throws and never takes longer than `budgets.verb`: what was not saved by
   * then is said, and the verb goes on.
   */
  async beforeEnd(verb: 'Cancel' | 'Force Kill' | 'Abandon', ticket: string, actor: Actor): Promise<void> {
    if (!this.#parts.isWanted()) return;
    const late = new AbortController();
    try {
      const record = this.#parts.record(ticket);
      if (record.started === null || (record.isFinal && !record.isOrphan)) return;
      const saving = this.#collected(record, actor, `before ${verb}`, budgets.verb - writingMs);
      const told = saving.then(
        () => null,
        (error: Error) => error.message,
      );
      const problem = await Promise.race([told, delay(budgets.verb, 'it took longer than 2 s', { signal: late.signal })]);
      if (problem !== null)
        this.#parts.note(ticket, { type: 'note', about: 'evidence', actor }, lines.evidenceNotSaved(verb, problem));
    } catch {
      // There is no such script, or its log cannot be written: the verb itself says so.
    } finally {
      late.abort();
    }
  } // prettier-ignore

  /** @throws UnjamError `unknown-ticket`, `bad-input`, `not-possible` */
  read(ticket: string, file: string, from: number): Output<'evidence.read'> {
    const record = this.#parts.record(ticket);
    if (!bundleName.test(file))
      throw new UnjamError(
        'bad-input',
        `"file": "${file}" is not the name of a bundle.`,
        'Take the name that scripts.evidence answers.',
        'file',
      );
    const path = join(record.directory.path, file);
    if (!existsSync(path))
      throw new UnjamError('not-possible', `There is no "${file}" beside "${record.spec.name}".`, 'Save a new bundle.');
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
    const key = record.spec.runId;
    const begun = this.#underWay.get(key);
    if (begun) return begun;
    const saving = this.#write(record, actor, occasion, budgetMs).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, saving);
    return saving;
  }

  async #write(record: EvidenceRecord, actor: Actor, occasion: string | null, budgetMs: number): Promise<Saved> {
    const { spec, directory, started } = record;
    const { ticket } = spec;
    const subject = {
      script: this.#parts.detail(ticket),
      scope: started?.scope ?? null,
      environmentNames: spec.environmentNames,
    };
    const by = lines.actorText(actor);
    const { files, missing } = await collect(subject, { by, occasion, budgetMs }, this.#parts);
    const at = new Date();
    const bytes = zip(files, at);
    const name = freeName(directory.path, at);
    const temporary = join(directory.path, `${name}.${process.pid}.${randomHex(8)}.tmp`);
    try {
      writeFileSync(temporary, bytes, { mode: 0o600 });
      renameSync(temporary, join(directory.path, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      const problem = systemProblem(error);
      throw new UnjamError(
        'system',
        `The evidence of "${spec.name}" could not be saved: ${problem?.text ?? (error as Error).message}.`,
        problem?.next ?? 'Look at the run directory of the script.',
      );
    }
    for (const old of bundles(directory.path).slice(evidenceLimits.kept)) rmSync(join(directory.path, old), { force: true });
    const line = lines.evidenceSaved({ actor, occasion, file: name, bytes: bytes.length, missing });
    this.#parts.note(ticket, { type: 'note', about: 'evidence', actor }, line);
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

function described({ spec, directory }: EvidenceRecord, file: string): Omit<Saved, 'collected' | 'missing'> {
  const path = join(directory.path, file);
  const { size, mtime } = statSync(path);
  return { ticket: spec.ticket, file: basename(path), path, bytes: size, at: mtime.toISOString() };
}

/** `evidence-20261201-144501.zip`, in UTC: names sort as times do. */
function freeName(folder: string, at: Date): string {
  const stamp = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  for (let n = 1; ; n += 1) {
    const name = `evidence-${stamp}${n === 1 ? '' : `-${n}`}.zip`;
    if (!existsSync(join(folder, name))) return name;
  }
}
