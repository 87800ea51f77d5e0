/** What must outlive a crash: what was told, and what is still to be delivered. One file of the state directory. */
import { join } from 'node:path';
import * as v from 'valibot';
import { alertKinds, type Known } from '../domain/alerts.ts';
import { replaceFile, tryUnlink } from '../run-directory/atomic-file.ts';
import { readFileSync } from 'node:fs';
import type { AlertMessage } from './message.ts';

/** A message on its way to one target. */
export interface Outgoing {
  readonly target: string;
  readonly message: AlertMessage;
  /** Ms since 1970. */
  readonly madeAt: number;
  readonly failures: number;
  readonly notBefore: number;
}

export interface AlertsState {
  readonly schema: 1;
  /** The latest look, and how many scripts and orphans lived then. */
  readonly before: { readonly at: number; readonly living: number };
  readonly known: readonly Known[];
  readonly outbox: readonly Outgoing[];
}

const text = v.string();
const textOrNull = v.nullable(text);
const fact = v.object({ key: text, kind: v.picklist(alertKinds), ticket: textOrNull, script: textOrNull, mutex: textOrNull, text }); // prettier-ignore
const message = v.object({
  id: text,
  incident: text,
  phase: v.picklist(['begin', 'end', 'test']),
  kind: v.picklist([...alertKinds, 'test']),
  at: text,
  since: text,
  host: text,
  ticket: textOrNull,
  script: textOrNull,
  mutex: textOrNull,
  title: text,
  text,
  traceparent: v.exactOptional(text),
  lastOutput: v.exactOptional(text),
});
const State: v.GenericSchema<unknown, AlertsState> = v.object({
  schema: v.literal(1),
  before: v.object({ at: v.number(), living: v.number() }),
  known: v.array(v.object({ fact, incident: text, begunAt: v.number(), seenAt: v.number(), told: v.array(text) })),
  outbox: v.array(v.object({ target: text, message, madeAt: v.number(), failures: v.number(), notBefore: v.number() })),
});

export class AlertsFile {
  readonly #path: string;

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, 'alerts.json');
  }

  /** Null when there is none, or (after damage) none that can be read. */
  read(): AlertsState | null {
    try {
      const parsed = v.safeParse(State, JSON.parse(readFileSync(this.#path, 'utf8')));
      return parsed.success ? parsed.output : null;
    } catch {
      return null;
    }
  }

  /** @throws the file system's error */
  write(state: AlertsState): Promise<void> {
    return replaceFile(this.#path, JSON.stringify(state), true);
  }

  remove(): void {
    tryUnlink(this.#path);
  }
}
