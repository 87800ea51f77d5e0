/**
 * Which process a thread waits for in the end, https://learn.microsoft.com/windows/win32/debug/wait-chain-traversal.
 * Wine does not have it; other users' processes need the debug privilege. No answer is `[]`.
 */
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import type { Thread } from './process-table.ts';

const openSession = bind<(flags: number, callback: null) => Handle>(
  'advapi32',
  'uintptr_t',
  'OpenThreadWaitChainSession',
  'uint32',
  'void *',
);
const closeSession = bind<(session: Handle) => void>('advapi32', 'void', 'CloseThreadWaitChainSession', 'uintptr_t');
const getThreadWaitChain = bind<
  (session: Handle, context: null, flags: number, thread: number, count: [number], nodes: Buffer, cycle: Out) => number
>(
  'advapi32',
  'int32',
  'GetThreadWaitChain',
  'uintptr_t',
  'void *',
  'uint32',
  'uint32',
  '_Inout_ uint32 *',
  '_Out_ void *',
  '_Out_ int32 *',
);

/** WCTP_GETINFO_ALL_FLAGS: also through COM, critical sections and other processes. */
const allFlags = 7;
const mostNodes = 16;
const nodeSize = 280;
/** WCT_OBJECT_TYPE */
const threadType = 8;

export interface WaitedFor {
  readonly pid: number;
  /** The threads wait for each other in a circle. */
  readonly deadlock: boolean;
}

/** The processes that threads of `pid` wait for, itself left out unless it is a deadlock. */
export function waitedForBy(pid: number, threads: readonly Thread[]): readonly WaitedFor[] {
  const session = attempt(() => openSession(0, null));
  if (session === null || session === 0) return [];
  const found = new Map<number, WaitedFor>();
  try {
    for (const thread of threads) {
      const count: [number] = [mostNodes];
      const nodes = Buffer.alloc(mostNodes * nodeSize);
      const cycle: Out = [0];
      if (!attempt(() => getThreadWaitChain(session, null, allFlags, thread.id, count, nodes, cycle))) continue;
      for (const waited of parseWaitChain(pid, nodes, Math.min(count[0], mostNodes), cycle[0] !== 0))
        found.set(waited.pid, waited);
    }
  } finally {
    attempt(() => closeSession(session));
  }
  return [...found.values()];
}

/**
 * WAITCHAIN_NODE_INFO, 280 bytes: object type, status, then for a thread its process id at 8. The first node is the
 * thread that was asked for, the last one is what all wait for.
 */
export function parseWaitChain(pid: number, nodes: Buffer, count: number, isCycle: boolean): readonly WaitedFor[] {
  const pids: number[] = [];
  for (let i = 1; i < count; i++) {
    const at = i * nodeSize;
    if (nodes.readUInt32LE(at) === threadType) pids.push(nodes.readUInt32LE(at + 8));
  }
  const last = pids.at(-1);
  if (last === undefined || (last === pid && !isCycle)) return [];
  return [{ pid: last, deadlock: isCycle }];
}
