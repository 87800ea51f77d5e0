/** Asks a runner, and learns whether it answered. */
import { randomBytes } from 'node:crypto';
import { UnjamError } from '../contract/errors.ts';
import type { RunnerRequest } from '../domain/events.ts';
import { limits } from '../domain/limits.ts';
import type { ScriptRecord } from './record.ts';

type Body<R> = R extends RunnerRequest ? Omit<R, 'id' | 'at' | 'evidence'> & { evidence?: readonly string[] } : never;

export type RequestOutcome =
  { readonly kind: 'answered' } | { readonly kind: 'unanswered'; readonly request: RunnerRequest };

export async function sendRequest(
  record: ScriptRecord,
  body: Body<RunnerRequest>,
  host: {
    readonly refresh: () => void;
    readonly runnerAlive: () => boolean;
    readonly onChange: (listener: () => void) => () => void;
    /** Carries out a write that may need the space that is kept for operators. */
    readonly withReserve: <T>(act: () => T) => Promise<T>;
  },
): Promise<RequestOutcome> {
  const at = Date.now();
  const id = `${at.toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`;
  const request = { evidence: [], ...body, id, at } as RunnerRequest;
  if (!host.runnerAlive()) return { kind: 'unanswered', request };
  await host
    .withReserve(() => record.directory.request(request))
    .catch((error: Error) => {
      throw new UnjamError(
        'state-directory',
        `The request could not be handed to the runner of "${record.spec.name}": ${error.message}. Nothing was done.`,
        'Free space or correct the rights of the state directory, and ask again.',
      );
    });
  const answered = (): boolean => {
    host.refresh();
    return record.progress.answered.includes(id) || (record.isFinal && !record.isOrphan);
  };
  const deadline = performance.now() + limits.runnerAnswerMs;
  while (performance.now() < deadline && host.runnerAlive()) {
    if (answered()) return { kind: 'answered' };
    await nextChange(host.onChange, 50);
  }
  if (answered()) return { kind: 'answered' };
  // Taken but not yet told (a slow disk, a signal that takes its time): the runner acts, not we.
  return record.directory.withdraw(id) ? { kind: 'unanswered', request } : { kind: 'answered' };
}

/** Resolves at the next change, or after `atMostMs`. */
export function nextChange(onChange: (listener: () => void) => () => void, atMostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, atMostMs);
    const stop = onChange(done);
  });
}
