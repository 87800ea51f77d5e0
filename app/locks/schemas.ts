/**
 * What the version stores hold, as another version may have written it. The file itself is kept as it was read: a key
 * that this version does not know stays in it.
 */
import * as v from 'valibot';
import type { AbandonedHold, Hold, MutexState, Waiter } from '../domain/mutex.ts';
import { isolationLevels } from '../domain/script.ts';
import { actor, identity, scope } from '../run-directory/schemas.ts';
import type { ProcessIdentity } from '../domain/identity.ts';

/** Who hosts a state directory. */
export interface ElectionState {
  readonly schema: 1;
  readonly version: number;
  readonly host: ProcessIdentity | null;
}

/** Null when the value is a state that this version understands; otherwise which field is not. */
export type Check = (value: unknown) => string | null;

/** `T` is what the rest of the program calls it; the compiler checks that the schema answers at least that. */
const check =
  <T>(schema: v.GenericSchema<unknown, T>): Check =>
  (value) => {
    const { issues } = v.safeParse(schema, value, { abortEarly: true });
    return issues === undefined ? null : `"${v.getDotPath(issues[0]) ?? ''}": ${issues[0].message}`;
  };

const text = v.string();
const number = v.number();
const truth = v.exactOptional(v.literal(true));

const entry = {
  id: text,
  ticket: text,
  name: text,
  host: v.exactOptional(text),
  level: v.picklist(isolationLevels),
  runner: identity,
  ancestors: v.array(text),
  queuedAt: number,
  inherit: truth,
  unsupervised: truth,
};
const hold = {
  ...entry,
  fence: number,
  grantedAt: number,
  scope: v.nullable(scope),
  under: v.exactOptional(text),
  restored: truth,
};

export const checkMutex = check<MutexState>(
  v.looseObject({
    schema: v.literal(1),
    version: number,
    epoch: text,
    name: text,
    fence: number,
    paused: v.nullable(v.looseObject({ by: actor, at: number })),
    holders: v.array<v.GenericSchema<unknown, Hold>>(v.looseObject(hold)),
    queue: v.array<v.GenericSchema<unknown, Waiter>>(v.looseObject(entry)),
    abandoned: v.array<v.GenericSchema<unknown, AbandonedHold>>(
      v.looseObject({ ...hold, abandonedAt: number, by: actor, reason: v.nullable(text) }),
    ),
  }),
);

export const checkElection = check<ElectionState>(
  v.looseObject({ schema: v.literal(1), version: number, host: v.nullable(identity) }),
);
