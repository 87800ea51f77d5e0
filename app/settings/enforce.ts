/** What policies forbid, for every door alike: CLI, API, window and browser. Pure. */
import { UnjamError } from '../contract/errors.ts';
import type { Method, Parsed, ScriptDetail, Settings } from '../contract/methods.ts';
import { refusalOf } from '../contract/roles.ts';
import type { Role } from '../domain/access.ts';
import type { Life } from '../domain/life.ts';
import type { Actor, CancelSignal } from '../domain/script.ts';

const forbidden = {
  kill: 'Force Kill is switched off on this host by its administrator (policy DisableForceKill).',
  abandon: 'Abandon is switched off on this host by its administrator (policy DisableAbandon).',
  tooEarly: 'This host abandons only what Cancel or Force Kill could not end (setting abandonNeedsCancel).',
  alertsElsewhere: 'Who is told of stuck scripts is set in a terminal, through the API or by policy only.',
  notHere: 'The hold of a command under "unjam hold" is taken away in a terminal only.',
} as const;

const nextStep: Partial<Record<keyof typeof forbidden, string>> = {
  tooEarly: 'Cancel it first, and wait for its grace.',
  alertsElsewhere: 'Run "unjam alerts set FILE" in a terminal of this host.',
  notHere: 'Run "unjam abandon" with its ticket in a terminal of this host.',
};

/** @throws UnjamError `not-possible`, or `bad-input` when the reason is missing */
export function checkKill(s: Settings, input: Pick<Parsed<'scripts.kill'>, 'reason'>): void {
  if (s.disableForceKill) refuse('kill');
  checkReason(s, input.reason);
}

/**
 * A command under `unjam hold` takes no Cancel, so none needs to have failed; and a page that was taken over must not
 * get round the confirmation that a window asks for.
 * @throws UnjamError `not-possible`, or `bad-input` when the reason is missing
 */
export function checkAbandonHold(s: Settings, input: Parsed<'locks.abandon'>, { via }: Actor): void {
  if (via === 'window' || via === 'browser') refuse('notHere');
  if (s.disableAbandon) refuse('abandon');
  checkReason(s, input.reason);
}

/**
 * An alert can run a command as the host: no page that was taken over gets that far.
 * @throws UnjamError `not-possible`
 */
export function checkChange({ values = {}, reset = [] }: Parsed<'settings.set'>, { via }: Actor): void {
  const isPage = via === 'window' || via === 'browser';
  if (isPage && (values.alerts !== undefined || reset.includes('alerts'))) refuse('alertsElsewhere');
}

/** @throws UnjamError `not-possible`, or `bad-input` when the reason is missing */
export function checkAbandon(s: Settings, input: Parsed<'scripts.abandon'>, { isFinal, life }: Tried): void {
  if (s.disableAbandon) refuse('abandon');
  if (s.abandonNeedsCancel && !isFinal && !couldNotBeEnded(life)) refuse('tooEarly');
  checkReason(s, input.reason);
}

/** What has been tried on a script. */
interface Tried {
  readonly isFinal: boolean;
  readonly life: Life;
}

/** An end was tried and its time was up. One that waits is taken out of the queue, not abandoned. */
const couldNotBeEnded = ({ stage, overdueSince }: Life): boolean => stage.kind === 'queued' || overdueSince !== null;

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

/** The verbs as the policies leave them, for somebody with that role. */
export function lockVerbs(s: Settings, detail: ScriptDetail, { life }: Tried, role: Role): ScriptDetail {
  const { kill, abandon } = detail.verbs;
  const no = (why: keyof typeof forbidden): typeof kill => ({ possible: false, text: forbidden[why] });
  const allowed = (method: Method, verb: typeof kill): typeof kill => {
    const refusal = refusalOf(method, role, s);
    return refusal === null ? verb : { possible: false, text: refusal };
  };
  const isTooEarly = abandon.possible && s.abandonNeedsCancel && !couldNotBeEnded(life);
  return {
    ...detail,
    verbs: {
      cancel: allowed('scripts.cancel', detail.verbs.cancel),
      kill: s.disableForceKill ? no('kill') : allowed('scripts.kill', kill),
      abandon: s.disableAbandon ? no('abandon') : isTooEarly ? no('tooEarly') : allowed('scripts.abandon', abandon),
    },
  };
}

function refuse(why: keyof typeof forbidden): never {
  throw new UnjamError(
    'not-possible',
    `${forbidden[why]} Nothing was done.`,
    nextStep[why] ?? 'Use another verb, or ask the administrator.',
  );
}

/** @throws UnjamError `bad-input` when this host wants a reason and there is none */
export function checkReason(s: Settings, reason: string | undefined): void {
  if (s.requireReason && reason === undefined)
    throw new UnjamError(
      'bad-input',
      'This host requires a reason for Cancel, Force Kill and Abandon. Nothing was done.',
      'Give one: --reason on the command line, "reason" in a call.',
      'reason',
    );
}
