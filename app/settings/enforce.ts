/** What policies forbid, for every door alike: CLI, API, window and browser. Pure. */
import { UnjamError } from '../contract/errors.ts';
import type { Parsed, ScriptDetail, Settings } from '../contract/methods.ts';
import type { CancelSignal } from '../domain/script.ts';

const forbidden = {
  kill: 'Force Kill is switched off on this host by its administrator (policy DisableForceKill).',
  abandon: 'Abandon is switched off on this host by its administrator (policy DisableAbandon).',
} as const;

/** @throws UnjamError `not-possible`, or `bad-input` when the reason is missing */
export function checkKill(s: Settings, input: Parsed<'scripts.kill'>): void {
  if (s.disableForceKill) refuse('kill');
  checkReason(s, input.reason);
}

/** @throws UnjamError `not-possible`, or `bad-input` when the reason is missing */
export function checkAbandon(s: Settings, input: Parsed<'scripts.abandon'>): void {
  if (s.disableAbandon) refuse('abandon');
  checkReason(s, input.reason);
}

/**
 * The Cancel that may be sent: never a kill by another name while Force Kill is switched off.
 * @throws UnjamError `not-possible`, or `bad-input` when the reason is missing
 */
export function checkCancel(
  s: Settings,
  input: Parsed<'scripts.cancel'>,
  ownSignal: CancelSignal,
): Parsed<'scripts.cancel'> {
  checkReason(s, input.reason);
  if (!s.disableForceKill) return input;
  if (input.escalate === true || (input.signal ?? ownSignal) === 'SIGKILL') refuse('kill');
  return { ...input, escalate: false };
}

/** The verbs as the policies leave them. */
export function lockVerbs(s: Settings, detail: ScriptDetail): ScriptDetail {
  const lock = (verb: 'kill' | 'abandon', off: boolean): ScriptDetail['verbs']['kill'] =>
    off ? { possible: false, text: forbidden[verb] } : detail.verbs[verb];
  return {
    ...detail,
    verbs: {
      ...detail.verbs,
      kill: lock('kill', s.disableForceKill),
      abandon: lock('abandon', s.disableAbandon),
    },
  };
}

function refuse(verb: keyof typeof forbidden): never {
  throw new UnjamError(
    'not-possible',
    `${forbidden[verb]} Nothing was done.`,
    'Use another verb, or ask the administrator.',
  );
}

function checkReason(s: Settings, reason: string | undefined): void {
  if (s.requireReason && reason === undefined)
    throw new UnjamError(
      'bad-input',
      'This host wants a reason for Cancel, Force Kill and Abandon. Nothing was done.',
      'Give one: --reason on the command line, "reason" in a call.',
      'reason',
    );
}
