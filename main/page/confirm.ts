/**
 * Stands between the page and the dispatcher. Whatever ends or releases something, runs a command, deletes evidence or
 * weakens a guard is asked again here, natively, with data that main fetched itself: a page that was taken over can nag,
 * but it cannot act.
 */
import type { BrowserWindow, Dialog } from 'electron';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import { methods } from '../../app/contract/methods.ts';
import type { Method, MutexView, Parsed, Reply, ScriptDetail, SettingsView } from '../../app/contract/methods.ts';
import { limits } from '../../app/domain/limits.ts';
import { weakenings } from '../../app/settings/weaken.ts';
import * as texts from './confirm-text.ts';
import { refuse } from './door.ts';
import {
  aimed,
  aimedAtObserved,
  asker,
  closeWhenGone,
  type Kind,
  look,
  type OneQuestion,
  savesEvidence,
  staleness,
  wantsReason,
  wentBack,
} from './question.ts';

export interface ConfirmParts {
  readonly dispatch: Dispatch;
  readonly dialog: Pick<Dialog, 'showMessageBox'>;
  /** The console's window when a person sees it. */
  readonly parent: () => BrowserWindow | null;
  readonly machine: string;
  /** Calls `changed` whenever a script may have changed; ends with the signal. */
  readonly watch: (ticket: string, changed: () => void, signal: AbortSignal) => void;
  /** Shared with everything else that asks. */
  readonly exclusively: OneQuestion;
  /** Resolves when the other Cancels of one press of a key have arrived: they become one question. */
  readonly gathered: () => Promise<void>;
  readonly now: () => number;
}

type Command = { [M in Method]: (typeof methods)[M]['kind'] extends 'command' ? M : never }[Method];
type Ask<M extends Method> = (input: Parsed<M>, caller: Caller) => Promise<Reply>;
type Gate<M extends Method> = Ask<M> | 'free' | 'never';
type Target = Parsed<'scripts.abandon'> & Parsed<'scripts.cancel'>;

type Cancel = {
  readonly kind: Kind;
  readonly input: Target;
  readonly caller: Caller;
  readonly answer: (reply: Reply) => void;
};

/** Returns a dispatcher for callers that must not be trusted. */
export function confirmed(parts: ConfirmParts): Dispatch {
  const { exclusively } = parts;

  const ask = asker(parts);

  const start: Ask<'scripts.start'> = (input, caller) =>
    exclusively(async () => {
      const text = texts.startText(input, parts.machine);
      if (text === null)
        return refuse('too-large', 'This command is too long to be confirmed in a window.', 'Use unjam start.');
      if (!(await ask(text))) return wentBack('Run');
      return parts.dispatch('scripts.start', input, caller);
    });

  /** The script as it is now, or why nobody needs to be asked. */
  const fresh = async (
    verb: 'cancel' | 'kill' | 'abandon',
    input: Target,
    caller: Caller,
    kind: Kind = 'scripts',
  ): Promise<ScriptDetail | (Reply & { ok: false })> => {
    const reply = await look(parts.dispatch, input.ticket, caller, kind);
    if (!reply.ok) return reply;
    const script = reply.value;
    const problem = staleness(input, script);
    if (problem !== null) return problem;
    if (!script.verbs[verb].possible)
      return refuse('not-possible', script.verbs[verb].text, 'Look at the script again.');
    if (input.reason === undefined && (await wantsReason(parts.dispatch, caller)))
      return refuse(
        'bad-input',
        `This host requires a reason for ${verbNames[verb]}. Nothing was done.`,
        'Enter one, then confirm.',
        'reason',
      );
    return script;
  };

  /** Asks about one script; the question closes when the script has ended. */
  const askAbout = async (
    script: ScriptDetail,
    verb: keyof typeof verbNames,
    text: texts.ConfirmText,
    caller: Caller,
    kind: Kind = 'scripts',
  ): Promise<Reply | null> => {
    const gone = new AbortController();
    const over = new AbortController();
    parts.watch(script.ticket, () => void closeWhenGone(parts.dispatch, script, caller, gone, kind), over.signal);
    const yes = await ask(text, gone.signal).finally(() => over.abort());
    if (gone.signal.aborted)
      return refuse(
        'not-possible',
        `"${script.name}" has already ended. There is nothing to ${verb}.`,
        'Nothing was done.',
      );
    return yes ? null : wentBack(verbNames[verb]);
  };

  const killOrAbandon =
    (method: 'scripts.kill' | 'scripts.abandon'): ((input: Target, caller: Caller) => Promise<Reply>) =>
    (input, caller) =>
      exclusively(async () => {
        const verb = method === 'scripts.kill' ? 'kill' : 'abandon';
        const script = await fresh(verb, input, caller);
        if ('ok' in script) return script;
        const note = (await savesEvidence(parts.dispatch, caller)) ? texts.evidenceFirst : '';
        const text = texts.endingText(verb, script, input, parts.now(), note);
        return (await askAbout(script, verb, text, caller)) ?? parts.dispatch(method, aimed(input, script), caller);
      });

  const killObserved: Ask<'observed.kill'> = (input, caller) =>
    exclusively(async () => {
      const script = await fresh('kill', { ...input, ticket: input.id }, caller, 'observed');
      if ('ok' in script) return script;
      const text = texts.killText(script, input.reason, parts.now(), script.verbs.kill.text);
      const refused = await askAbout(script, 'kill', text, caller, 'observed');
      return refused ?? parts.dispatch('observed.kill', aimedAtObserved(input, script), caller);
    });

  /** The time that the question names is the time that the script gets. */
  const cancelObserved: Ask<'observed.cancel'> = ({ id, graceMs = limits.graceWindowMs, ...input }, caller) =>
    cancelOf('observed', { ...input, ticket: id, graceMs }, caller);

  const cancel: Ask<'scripts.cancel'> = (input, caller) => cancelOf('scripts', input, caller);

  let gathering: Cancel[] | null = null;
  const cancelOf = (kind: Kind, input: Target, caller: Caller): Promise<Reply> =>
    new Promise((answer) => {
      const one: Cancel = { kind, input, caller, answer };
      if (gathering === null) void cancelTogether((gathering = [one]));
      else gathering.push(one);
    });

  async function cancelTogether(all: readonly Cancel[]): Promise<void> {
    const replies = new Map<Cancel, Reply>();
    const refused = await exclusively(async () => {
      await parts.gathered();
      gathering = null;
      await cancelAll(all, replies);
      return { ok: true, value: null };
    }).catch((error: unknown) =>
      refuse('internal', `The question could not be asked: ${String(error)}.`, 'Nothing more was done. Try again.'),
    );
    gathering = null;
    for (const one of all) one.answer(replies.get(one) ?? refused);
  }

  /** One question for all of them. A Cancel that is a Force Kill by another name is asked as one, and alone. */
  async function cancelAll(all: readonly Cancel[], replies: Map<Cancel, Reply>): Promise<void> {
    const ready: { readonly one: Cancel; readonly script: ScriptDetail }[] = [];
    for (const one of all) {
      const { input, caller, kind } = one;
      const isNamed = input.escalate === true || input.signal === 'SIGKILL';
      const script = await fresh(isNamed ? 'kill' : 'cancel', input, caller, kind);
      if ('ok' in script) replies.set(one, script);
      else if (!isNamed && (input.signal ?? script.cancelSignal) !== 'SIGKILL') ready.push({ one, script });
      else if (all.length === 1) replies.set(one, await cancelByKill(one, script));
      else
        replies.set(
          one,
          refuse('not-possible', `Cancel of "${script.name}" is a Force Kill. Nothing was done.`, 'Cancel it alone.'),
        );
    }
    const [first, ...others] = ready;
    if (first === undefined) return;
    const { input, caller, kind } = first.one;
    const note = kind === 'observed' ? first.script.verbs.cancel.text : '';
    const refused =
      others.length === 0
        ? await askAbout(first.script, 'cancel', texts.cancelText(first.script, input, parts.now(), note), caller, kind)
        : (await ask(
              texts.cancelManyText(
                ready.map(({ script }) => script),
                input.reason,
              ),
            ))
          ? null
          : wentBack('Cancel');
    await Promise.all(
      ready.map(async ({ one, script }) => void replies.set(one, refused ?? (await cancelGently(one, script)))),
    );
  }

  /** Never leaves it to a default whether a Cancel from the page ends in a kill. */
  function cancelGently({ kind, input, caller }: Cancel, script: ScriptDetail): Promise<Reply> {
    const { reason, graceMs } = input;
    return kind === 'scripts'
      ? parts.dispatch('scripts.cancel', { ...aimed(input, script), escalate: false }, caller)
      : parts.dispatch('observed.cancel', aimedAtObserved({ id: script.ticket, reason, graceMs }, script), caller);
  }

  async function cancelByKill({ input, caller }: Cancel, script: ScriptDetail): Promise<Reply> {
    if (!script.verbs.kill.possible) return refuse('not-possible', script.verbs.kill.text, 'Look at the script again.');
    const text = texts.killText(script, input.reason, parts.now());
    const refused = await askAbout(script, 'kill', text, caller);
    return refused ?? parts.dispatch('scripts.cancel', aimed(input, script), caller);
  }

  const endProcess: Ask<'scripts.endProcess'> = (input, caller) =>
    exclusively(async () => {
      const script = await fresh('kill', { ticket: input.ticket, reason: input.reason }, caller);
      if ('ok' in script) return script;
      const { pid, startTime } = input.process;
      const process = script.processes.find((one) => one.pid === pid && one.startTime === startTime);
      if (process === undefined)
        return refuse(
          'other-process',
          `PID ${pid} is not a process of "${script.name}". Nothing was done.`,
          'Look at it again, then decide.',
        );
      if (!(await ask(texts.endProcessText(script, process, input.reason)))) return wentBack('End this process');
      return parts.dispatch('scripts.endProcess', input, caller);
    });

  const resume: Ask<'locks.resume'> = (input, caller) =>
    exclusively(async () => {
      const reply = (await parts.dispatch('locks.list', {}, caller)) as Reply<MutexView[]>;
      if (!reply.ok) return reply;
      const mutex = reply.value.find((one) => one.name.toLowerCase() === input.name.toLowerCase());
      // What there is nothing to resume the host says itself.
      if (mutex?.paused === true && !(await ask(texts.resumeText(mutex)))) return wentBack('Resume');
      return parts.dispatch('locks.resume', input, caller);
    });

  const complete: Ask<'scripts.complete'> = (input, caller) =>
    exclusively(async () => {
      const reply = await look(parts.dispatch, input.ticket, caller);
      if (!reply.ok) return reply;
      if (!(await ask(texts.completeText(reply.value)))) return wentBack('Delete');
      return parts.dispatch('scripts.complete', input, caller);
    });

  const change: Ask<'settings.set'> = async (input, caller) => {
    const reply = (await parts.dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
    if (!reply.ok) return reply;
    const keys = [...Object.keys(input.values ?? {}), ...(input.reset ?? [])];
    const locked = reply.value.entries.find(({ key, managed }) => managed !== null && keys.includes(key));
    if (locked !== undefined)
      return refuse('not-possible', `${locked.managed}. Nothing was changed.`, 'Ask the administrator of this host.');
    const weakened = weakenings(reply.value.values, input);
    if (weakened.length === 0) return parts.dispatch('settings.set', input, caller);
    return exclusively(async () => {
      if (!(await ask(texts.settingsText(weakened)))) return wentBack('The change');
      return parts.dispatch('settings.set', input, caller);
    });
  };

  /** A new command of the contract does not compile before it has a gate. */
  const gates: { readonly [M in Command]: Gate<M> } = {
    'scripts.start': start,
    'scripts.cancel': cancel,
    'scripts.kill': killOrAbandon('scripts.kill'),
    'scripts.abandon': killOrAbandon('scripts.abandon'),
    'scripts.endProcess': endProcess,
    'scripts.complete': complete,
    'locks.resume': resume,
    'settings.set': change,
    // These end nothing; the scripts of a drill are harmless, end by themselves, and there is one drill at a time.
    'scripts.take': 'free',
    'observed.take': 'free',
    'scripts.evidence': 'free',
    'observed.evidence': 'free',
    'drill.start': 'free',
    'alerts.test': 'never',
    'locks.abandon': 'never',
    'console.open': 'never',
    'observed.cancel': cancelObserved,
    'observed.kill': killObserved,
    'host.retire': 'never',
  };

  return async (method, raw, caller) => {
    const gate = Object.hasOwn(gates, method) ? gates[method as Command] : 'free';
    if (gate === 'never')
      return refuse('unauthorized', `"${method}" is not for the console.`, 'Use the command line of this host.');
    if (gate === 'free') return parts.dispatch(method, raw, caller);
    const parsed = methods[method as Command].input.safeParse(raw ?? {});
    // Input that does not parse is not dangerous: the dispatcher refuses it and names the field.
    if (!parsed.success) return parts.dispatch(method, raw, caller);
    return (gate as (input: unknown, caller: Caller) => Promise<Reply>)(parsed.data, caller);
  };
}

const verbNames = { cancel: 'Cancel', kill: 'Force Kill', abandon: 'Abandon' } as const;
