/** An expected failure of a call: a code, a sentence and the next step, as the host said them. */
import type { ErrorBody, ErrorCode, Reply } from '../contract.ts';

export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: ErrorCode;
  readonly next: string;

  constructor(body: ErrorBody) {
    super(body.message);
    this.code = body.code;
    this.next = body.next;
  }
}

export function valueOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw new CallError(reply.error);
}

/** The call may or may not have arrived: say so, and never that it was done. */
export function unreachable(): CallError {
  return new CallError({
    code: 'host-unreachable',
    message: 'Unjam did not answer. It is not known whether the request arrived.',
    next: 'Wait until the console is connected again and look at the state before you repeat it.',
  });
}

/** Whatever was thrown, as something that can be shown. */
export function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  return new CallError({
    code: 'internal',
    message: `The console failed: ${error instanceof Error ? error.message : String(error)}`,
    next: 'Reload the console (F5) and look at the state.',
  });
}
