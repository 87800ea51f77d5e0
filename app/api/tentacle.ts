/**
 * Octopus Tentacle's script service (V2, with AbandonScript) as JSON over the contract: `POST /tentacle/v2/<verb>` with
 * Tentacle's field names, ordinals and codes. docs/tentacle.md says where Unjam answers otherwise, and why.
 */
import type { z } from 'zod';
import type { Caller, Dispatch } from '../contract/dispatcher.ts';
import { type ErrorCode, UnjamError, wrongField } from '../contract/errors.ts';
import type { Input, LogEntry, Method, Output, ScriptView } from '../contract/methods.ts';
import { limits } from '../domain/limits.ts';
import { nameKey, ticketProblem } from '../domain/names.ts';
import { resultCodes } from '../domain/script.ts';
import { openEntry, outputsOf } from './tentacle-log.ts';
import { camelCased, StartCommand, StatusCommand, TicketCommand } from './tentacle-schemas.ts';
import { launchOf, type TentacleWorkspaces } from './tentacle-workspaces.ts';

const states = { pending: 0, running: 1, complete: 2 } as const;

/** A caller that gives no name shares Tentacle's. */
const defaultMutex = 'RunningScript';
/** One answer has about so much of a log, bytes. */
const answerBytes = 262_144;
/** The last lines of a script come a moment after its verdict, ms. */
const lastLinesMs = 2_000;
/** StartScript waits at most so long, ms. */
const waitMaxMs = 60_000;

export type Tentacle = (verb: string, body: unknown, caller: Caller) => Promise<unknown>;

/** @throws UnjamError: whatever the contract refuses, and `unknown-method` for another verb */
export function createTentacle(dispatch: Dispatch, workspaces: TentacleWorkspaces): Tentacle {
  const turns = new Map<string, Promise<unknown>>();

  return async (verb, body, caller) => {
    const read = <S extends z.ZodType>(schema: S): z.output<S> => {
      const parsed = schema.safeParse(camelCased(body));
      if (parsed.success) return parsed.data;
      const { field, why } = wrongField(parsed.error.issues);
      throw new UnjamError('bad-input', `"${field}": ${why}.`, `Correct "${field}"; nothing was done.`, field);
    };
    switch (verb) {
      case 'StartScript':
        return start(read(StartCommand), caller);
      case 'GetStatus': {
        const { ticket, lastLogSequence } = read(StatusCommand);
        return status(ticket.taskId, lastLogSequence, caller);
      }
      case 'CancelScript':
        return act('scripts.cancel', read(StatusCommand), caller);
      case 'AbandonScript':
        return act('scripts.abandon', read(StatusCommand), caller);
      case 'CompleteScript': {
        const { ticket } = read(TicketCommand);
        await unless(['unknown-ticket'], call('scripts.complete', { ticket: ticket.taskId }, caller));
        await workspaces.sweep((key) => turns.has(key));
        return null;
      }
      case 'GetCapabilities':
        await call('host.info', {}, caller);
        return { SupportedCapabilities: ['IScriptServiceV2', 'AbandonScript'] };
      default:
        throw new UnjamError('unknown-method', `There is no verb "${verb}".`, 'docs/tentacle.md has the six verbs.');
    }
  };

  /** Two starts of one ticket take turns: the first makes the folder, the second finds the script. */
  function start(command: z.output<typeof StartCommand>, caller: Caller): Promise<unknown> {
    const ticket = command.scriptTicket.taskId;
    return inTurn(nameKey(ticket), async () => {
      if ((await find(ticket, caller)) === null) await launch(ticket, command, caller);
      return status(ticket, 0, caller);
    });
  }

  async function launch(ticket: string, command: z.output<typeof StartCommand>, caller: Caller): Promise<void> {
    const { platform, you } = await call('host.info', {}, caller);
    // Nothing is written for a caller or a ticket that scripts.start is about to refuse, and keep a record of.
    const isWritten = you.refused['scripts.start'] === undefined && ticketProblem(ticket) === null;
    const folder = workspaces.pathOf(ticket);
    const { bootstrap, words } = launchOf(platform, folder, command);
    try {
      if (isWritten) await workspaces.make(ticket, [bootstrap, ...command.files]);
      await call(
        'scripts.start',
        {
          ticket,
          name: command.taskId.trim().slice(0, limits.nameMax) || ticket,
          command: words,
          ...(isWritten ? { cwd: folder } : {}),
          isolation: {
            level: command.isolation === 1 ? 'full' : 'none',
            mutex: command.isolationMutexName ?? defaultMutex,
            timeoutMs: command.scriptIsolationMutexTimeout || null,
          },
          waitMs: Math.min(command.durationToWaitForScriptToFinish ?? 0, waitMaxMs),
        },
        caller,
      );
    } catch (error) {
      if (isWritten) await workspaces.remove(ticket);
      throw error;
    }
    await workspaces.sweep((key) => turns.has(key));
  }

  /** On an unknown ticket, and on one whose end is no longer to be changed, it does nothing: the status says which. */
  async function act(
    method: 'scripts.cancel' | 'scripts.abandon',
    { ticket: { taskId: ticket }, lastLogSequence }: z.output<typeof StatusCommand>,
    caller: Caller,
  ): Promise<unknown> {
    await unless(['unknown-ticket', 'not-possible'], call(method, { ticket }, caller));
    return status(ticket, lastLogSequence, caller);
  }

  async function status(ticket: string, after: number, caller: Caller): Promise<unknown> {
    const script = await find(ticket, caller);
    const Ticket = { TaskId: ticket };
    if (script === null)
      return { Ticket, State: states.complete, ExitCode: resultCodes.unknownTicket, Logs: [], NextLogSequence: after };
    const log = await logOf(script, after, caller);
    // A caller stops at Complete: it hears that with the end of the log.
    const isComplete = script.state === 'final' && log.isWhole;
    return {
      Ticket,
      State: isComplete ? states.complete : script.state === 'queued' ? states.pending : states.running,
      ExitCode: isComplete ? script.resultCode | 0 : 0,
      Logs: outputsOf(log.entries),
      NextLogSequence: log.next,
    };
  }

  async function logOf(
    { ticket, state, orphan }: ScriptView,
    after: number,
    caller: Caller,
  ): Promise<{ entries: LogEntry[]; next: number; isWhole: boolean }> {
    const isOver = state === 'final' && !orphan;
    const entries: LogEntry[] = [];
    for (let from = after; ;) {
      const rest = { maxBytes: answerBytes, ...(isOver ? { waitMs: lastLinesMs } : {}) };
      const page = await call('logs.read', { ticket, from, ...rest }, caller);
      for (const entry of page.entries) entries.push(entry);
      from = page.next;
      const isWhole = page.next >= page.size;
      if (page.complete || page.entries.length === 0 || (isWhole && !isOver) || from - after >= answerBytes) {
        const open = state === 'final' && isWhole ? null : openEntry(entries, Date.now());
        return open === null
          ? { entries, next: from, isWhole }
          : { entries: entries.slice(0, -1), next: open.seq, isWhole };
      }
    }
  }

  async function find(ticket: string, caller: Caller): Promise<ScriptView | null> {
    const found = await unless(['unknown-ticket'], call('scripts.follow', { ticket }, caller));
    return found?.script ?? null;
  }

  async function call<M extends Method>(method: M, input: Input<M>, caller: Caller): Promise<Output<M>> {
    const reply = await dispatch(method, input, caller);
    if (!reply.ok) throw UnjamError.from(reply.error);
    return reply.value as Output<M>;
  }

  async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (turns.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
    turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (turns.get(key) === turn) turns.delete(key);
    }
  }
}

/** Null instead of an error of these codes. */
async function unless<T>(codes: readonly ErrorCode[], result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof UnjamError && codes.includes(error.code)) return null;
    throw error;
  }
}
