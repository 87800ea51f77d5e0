/**
 * Stands between the page and the dispatcher. What ends processes, releases a mutex or runs a command is asked again
 * here, natively, with data that main fetched itself: a page that was taken over can nag, but it cannot act.
 */
import type { BrowserWindow, Dialog, MessageBoxOptions } from 'electron';
import type { Caller, Dispatch } from '../app/contract/dispatcher.ts';
import {
  methods,
  type Method,
  type Parsed,
  type Reply,
  type ScriptDetail,
  type SettingsView,
} from '../app/contract/methods.ts';
import { abandonText, killText, startText, type ConfirmText } from './confirm-text.ts';
import type { OneQuestion } from './one-question.ts';
import { refuse } from './refuse.ts';

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
  readonly now: () => number;
}

type Verb = 'scripts.kill' | 'scripts.abandon' | 'scripts.cancel';
type Target = Parsed<'scripts.abandon'> & Parsed<'scripts.cancel'>;

/** Returns a dispatcher for callers that must not be trusted. */
export function confirmed(parts: ConfirmParts): Dispatch {
  const { exclusively } = parts;

  /** True only when a person pressed the named button. */
  const ask = async (text: ConfirmText, signal: AbortSignal): Promise<boolean> => {
    const options: MessageBoxOptions = { type: 'warning', noLink: true, defaultId: 0, cancelId: 0, signal, ...text };
    const parent = parts.parent();
    const answer =
      parent === null ? await parts.dialog.showMessageBox(options) : await parts.dialog.showMessageBox(parent, options);
    return answer.response === 1 && !signal.aborted;
  };

  const start = (input: Parsed<'scripts.start'>, caller: Caller): Promise<Reply> =>
    exclusively(async () => {
      const text = startText(input, parts.machine);
      if (text === null)
        return refuse(
          'too-large',
          'This command is too long to be confirmed in a window.',
          'Start it with unjam start.',
        );
      if (!(await ask(text, new AbortController().signal))) return wentBack('Run');
      return parts.dispatch('scripts.start', input, caller);
    });

  const act = (method: Verb, input: Target, caller: Caller): Promise<Reply> =>
    exclusively(async () => {
      const verb = method === 'scripts.abandon' ? 'abandon' : 'kill';
      const name = verb === 'kill' ? 'Force Kill' : 'Abandon';
      const fresh = await look(parts.dispatch, input.ticket, caller);
      if (!fresh.ok) return fresh;
      const script = fresh.value;
      const problem = staleness(input, script);
      if (problem !== null) return problem;
      if (!script.verbs[verb].possible)
        return refuse('not-possible', script.verbs[verb].text, 'Look at the script again.');
      if (input.reason === undefined && (await wantsReason(parts.dispatch, caller)))
        return refuse(
          'bad-input',
          `This host wants a reason for ${name}. Nothing was done.`,
          'Give one, then confirm.',
          'reason',
        );

      const gone = new AbortController();
      const over = new AbortController();
      parts.watch(script.ticket, () => void closeWhenGone(parts.dispatch, script, caller, gone), over.signal);
      const text = verb === 'kill' ? killText(script, input.reason, parts.now()) : abandonText(script, input);
      const yes = await ask(text, gone.signal).finally(() => over.abort());
      if (gone.signal.aborted)
        return refuse(
          'not-possible',
          `"${script.name}" has ended by itself. There is nothing to ${verb}.`,
          'Nothing was done.',
        );
      if (!yes) return wentBack(name);
      // Aimed at what the dialog showed, whatever the page had asked for.
      const process =
        script.process === null ? {} : { process: { pid: script.process.pid, startTime: script.process.startTime } };
      return parts.dispatch(method, { ...input, ticket: script.ticket, version: script.version, ...process }, caller);
    });

  return async (method, raw, caller) => {
    const asked = dangerous(method, raw);
    if (asked === null) return parts.dispatch(method, gentle(method, raw), caller);
    return asked.method === 'scripts.start' ? start(asked.input, caller) : act(asked.method, asked.input, caller);
  };
}

/**
 * A Cancel that may escalate, or whose signal is the kill, is a Force Kill by another name. Input that does not parse
 * is not dangerous: the dispatcher refuses it with the right words.
 */
function dangerous(
  method: string,
  raw: unknown,
): { method: 'scripts.start'; input: Parsed<'scripts.start'> } | { method: Verb; input: Target } | null {
  if (method === 'scripts.start') {
    const input = parse('scripts.start', raw);
    return input === null ? null : { method, input };
  }
  if (method === 'scripts.kill' || method === 'scripts.abandon') {
    const input = parse(method, raw);
    return input === null ? null : { method, input };
  }
  if (method === 'scripts.cancel') {
    const input = parse(method, raw);
    return input !== null && (input.escalate === true || input.signal === 'SIGKILL') ? { method, input } : null;
  }
  return null;
}

/** Never leaves it to a default whether a Cancel from the page ends in a kill. */
function gentle(method: string, raw: unknown): unknown {
  const input = method === 'scripts.cancel' ? parse('scripts.cancel', raw) : null;
  return input === null ? raw : { ...input, escalate: false };
}

function parse<M extends Method>(method: M, raw: unknown): Parsed<M> | null {
  const result = methods[method].input.safeParse(raw ?? {});
  return result.success ? (result.data as Parsed<M>) : null;
}

async function look(dispatch: Dispatch, ticket: string, caller: Caller) {
  return (await dispatch('scripts.get', { ticket }, caller)) as Reply<ScriptDetail>;
}

/** The host refuses it as well; nobody is to press a button first that then does nothing. */
async function wantsReason(dispatch: Dispatch, caller: Caller): Promise<boolean> {
  const reply = (await dispatch('settings.get', {}, caller)) as Reply<SettingsView>;
  return reply.ok && reply.value.values.requireReason;
}

async function closeWhenGone(
  dispatch: Dispatch,
  shown: ScriptDetail,
  caller: Caller,
  gone: AbortController,
): Promise<void> {
  const reply = await look(dispatch, shown.ticket, caller);
  if (reply.ok ? reply.value.state === 'final' && !reply.value.orphan : reply.error.code === 'unknown-ticket')
    gone.abort();
}

/** The page decided on something that is no longer so. Asked here and not in the dispatcher, because main overwrites both fields. */
function staleness(asked: Target, script: ScriptDetail): Reply | null {
  if (asked.version !== undefined && asked.version !== script.version)
    return refuse('stale-version', `"${script.name}" has changed since you looked.`, 'Look at it again, then decide.');
  if (
    asked.process !== undefined &&
    (asked.process.pid !== script.process?.pid || asked.process.startTime !== script.process.startTime)
  )
    return refuse(
      'other-process',
      `PID ${asked.process.pid} is not the process of "${script.name}".`,
      'Look at it again, then decide.',
    );
  return null;
}

function wentBack(verb: string): Reply {
  return refuse('not-confirmed', `${verb} was not confirmed. Nothing was done.`, 'Ask again when you are sure.');
}
