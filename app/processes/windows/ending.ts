/** Ending one process, and why one that was ended is still there. */
import type { SurvivorReason } from '../../domain/events.ts';
import type { ProcessIdentity } from '../../domain/identity.ts';
import type { EndOutcome } from '../control.ts';
import { describeError } from './errors.ts';
import { access, creationTimeOf, isCritical, isRunning, terminateProcess, withProcess } from './kernel.ts';
import { isDeleting, isProtected } from './process-memory.ts';
import { ownerOf, type Owner, sessionOf } from './token.ts';

const accessDenied = 5;

/** Idle and System have no image that could be ended. */
const systemPids = new Set([0, 4]);

/**
 * Opening and terminating are told apart, because "access denied" means different things: nobody let us in, or Windows
 * is already ending the process (TerminateProcess documents error 5 for that).
 */
export function end(identity: ProcessIdentity): EndOutcome {
  if (identity.pid === process.pid) return { kind: 'not-same' };
  if (systemPids.has(identity.pid))
    return { kind: 'denied', errorCode: 'EPERM', message: `PID ${identity.pid} is a part of Windows` };
  return withProcess<EndOutcome>(
    identity.pid,
    access.terminate | access.queryLimited | access.synchronize,
    (handle) => {
      if (creationTimeOf(handle)?.toString() !== identity.startTime) return { kind: 'not-same' };
      if (!isRunning(handle)) return { kind: 'gone' };
      if (isCritical(handle))
        return { kind: 'denied', errorCode: 'EPERM', message: `${identity.name} is a critical process of Windows` };
      const error = terminateProcess(handle);
      if (error === 0) return { kind: 'sent' };
      if (!isRunning(handle)) return { kind: 'gone' };
      return error === accessDenied ? { kind: 'failed', errorCode: error, message: terminating } : failed(error);
    },
    (error) => {
      if (error === 87) return { kind: 'gone' };
      return error === accessDenied
        ? { kind: 'denied', errorCode: error, message: describeError(error) }
        : failed(error);
    },
  );
}

const terminating = 'it is ending already (Windows error 5)';

const failed = (error: number): EndOutcome => ({ kind: 'failed', errorCode: error, message: describeError(error) });

/** What was measured about a survivor; null means that Windows does not say. */
export interface SurvivorFacts {
  readonly outcome: EndOutcome;
  readonly owner: Owner;
  readonly session: number | null;
  readonly isProtected: boolean | null;
  readonly isDeleting: boolean | null;
  /** `Executive ×2`. */
  readonly waitsFor: string | null;
  readonly own: { readonly user: string | null; readonly session: number | null; readonly integrity: number | null };
}

export function measureSurvivor(
  identity: ProcessIdentity,
  outcome: EndOutcome,
  own: SurvivorFacts['own'],
  waitsFor: string | null,
): SurvivorFacts {
  return {
    outcome,
    owner: ownerOf(identity.pid),
    session: sessionOf(identity.pid),
    isProtected: isProtected(identity.pid),
    isDeleting: isDeleting(identity.pid),
    waitsFor,
    own,
  };
}

export function explainSurvivor(facts: SurvivorFacts): { readonly reason: SurvivorReason; readonly detail: string } {
  const { outcome } = facts;
  if (outcome.kind === 'denied') return explainDenied(facts, outcome.message);
  const waits = facts.waitsFor === null ? '' : `; measured: ${facts.waitsFor}`;
  const undone = 'Windows cannot finish it, usually because of a driver, the antivirus or a debugger';
  if (outcome.kind === 'sent') return { reason: 'kernel', detail: `it was terminated, but ${undone}${waits}` };
  if (outcome.kind === 'failed' && (outcome.message === terminating || facts.isDeleting))
    return { reason: 'pending', detail: `it is ending already, but ${undone}${waits}` };
  if (outcome.kind === 'failed') return { reason: 'other', detail: `${outcome.message}${waits}` };
  return { reason: 'other', detail: `it is still there${waits}` };
}

function explainDenied(
  facts: SurvivorFacts,
  message: string,
): { readonly reason: SurvivorReason; readonly detail: string } {
  const { owner, own } = facts;
  const foreign = owner.user !== null && owner.user !== own.user;
  const elsewhere = facts.session !== null && own.session !== null && facts.session !== own.session;
  if (facts.isProtected) return { reason: 'protected', detail: `Windows protects it; ${message}` };
  if (foreign || elsewhere) {
    const whose = owner.user === null ? 'another user' : owner.user;
    const where = elsewhere ? ` in session ${facts.session}` : '';
    return { reason: 'access', detail: `it belongs to ${whose}${where}, administrator rights are needed; ${message}` };
  }
  if (owner.integrity !== null && own.integrity !== null && owner.integrity > own.integrity)
    return { reason: 'access', detail: `it runs as administrator and Unjam does not; ${message}` };
  return { reason: 'access', detail: `its access list does not let ${own.user ?? 'this user'} end it; ${message}` };
}
