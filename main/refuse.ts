/** An answer of main itself, in the form of the application's. */
import type { ErrorCode } from '../app/contract/errors.ts';
import type { Reply } from '../app/contract/methods.ts';

/** `field` is the field of the input that is wrong, when one is. */
export function refuse(code: ErrorCode, message: string, next: string, field?: string): Reply & { readonly ok: false } {
  return { ok: false, error: { code, message, next, ...(field === undefined ? {} : { field }) } };
}
