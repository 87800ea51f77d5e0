/** Errors that cross a process boundary: a stable code, a sentence, and the next step. */
import type { z } from 'zod';

export const errorCodes = {
  'bad-input': 'usage',
  'bad-ticket': 'usage',
  'bad-mutex-name': 'usage',
  'isolation-incomplete': 'usage',
  'missing-command': 'usage',
  'unknown-method': 'usage',
  'too-large': 'usage',
  'unknown-ticket': 'failure',
  'unknown-mutex': 'failure',
  'command-not-found': 'failure',
  'folder-not-found': 'failure',
  'state-directory': 'failure',
  'stale-version': 'failure',
  'other-process': 'failure',
  'wrong-confirmation': 'failure',
  'not-confirmed': 'failure',
  'not-final': 'failure',
  'not-possible': 'failure',
  'not-paused': 'failure',
  deadlock: 'failure',
  'start-failed': 'failure',
  /** As many as the host takes are waiting already. */
  busy: 'failure',
  'delete-failed': 'failure',
  unauthorized: 'failure',
  forbidden: 'failure',
  'version-mismatch': 'failure',
  'host-unreachable': 'failure',
  'host-timeout': 'failure',
  'fleet-not-joined': 'failure',
  'fleet-refused': 'failure',
  'fleet-retired': 'failure',
  'fleet-went-back': 'failure',
  'engine-unreachable': 'failure',
  /** Another host of the fleet has not taken the call in its time; nobody carries it out any more. */
  'host-silent': 'failure',
  /** Another host has taken the call and not answered. */
  'outcome-unknown': 'failure',
  /** The fleet is no way to do that on another host. */
  'not-allowed': 'failure',
  /** The operating system refused it: a full disk, a limit, a missing right. */
  system: 'failure',
  internal: 'failure',
} as const satisfies Record<string, 'usage' | 'failure'>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** What to do now, in one sentence. */
  readonly next: string;
  /** Path of the field that is wrong, when one is: `isolation.timeoutMs`. */
  readonly field?: string;
}

export class UnjamError extends Error implements ErrorBody {
  override readonly name = 'UnjamError';
  readonly code: ErrorCode;
  readonly next: string;
  readonly field?: string;

  constructor(code: ErrorCode, message: string, next: string, field?: string) {
    super(message);
    this.code = code;
    this.next = next;
    if (field !== undefined) this.field = field;
  }

  /** True when the caller's words were wrong, not the world: the CLI exits with 2 then. */
  get isUsage(): boolean {
    return errorCodes[this.code] === 'usage';
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      next: this.next,
      ...(this.field === undefined ? {} : { field: this.field }),
    };
  }

  /** A code of another version counts as `internal`. */
  static from(body: {
    readonly code: string;
    readonly message: string;
    readonly next: string;
    readonly field?: string | undefined;
  }): UnjamError {
    return new UnjamError(isErrorCode(body.code) ? body.code : 'internal', body.message, body.next, body.field);
  }
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);

/** The first field that a schema does not take, as a path, and why. */
export function wrongField(issues: readonly z.core.$ZodIssue[]): {
  readonly field: string;
  readonly why: string;
  readonly isUnknown: boolean;
} {
  const [issue] = issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].map(String).join('.') || 'input';
  const isUnknown = unknown.length > 0;
  return { field, why: isUnknown ? 'there is no such field' : (issue?.message ?? 'invalid'), isUnknown };
}
