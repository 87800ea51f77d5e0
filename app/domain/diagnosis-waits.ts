/** What the processes of a script wait for, as findings. Part of `diagnosis.ts`. */
import type { Awaited, ExaminedProcess, ExaminedThread } from './examination.ts';
import type { DiagnosisFacts, Finding } from './findings.ts';

const named = (p: { readonly pid: number; readonly name: string }): string => `PID ${p.pid} (${p.name})`;

export function waits(f: DiagnosisFacts): Finding[] {
  const inTree = new Map(f.processes.map((p) => [p.pid, p]));
  return f.processes.filter((p) => p.state !== 'stopped' && !p.atGate).flatMap((p) => [...ofProcess(p, f, inTree)]);
}

function* ofProcess(
  p: ExaminedProcess,
  f: DiagnosisFacts,
  inTree: ReadonlyMap<number, ExaminedProcess>,
): Generator<Finding> {
  const inKernel = p.threads.filter((t) => t.state === 'kernel');
  if (inKernel.length > 0) yield kernelWait(p, inKernel);
  // A program of many threads waits where its main thread waits; helpers of a runtime always wait for work.
  const [main] = p.threads;
  if (!main?.awaits || main.state === 'kernel') return;
  yield* forWhat(p, main, main.awaits, f, inTree);
}

function kernelWait(p: ExaminedProcess, threads: readonly ExaminedThread[]): Finding {
  const of = `${threads.length} of ${p.threadCount} ${p.threadCount === 1 ? 'thread' : 'threads'}`;
  const places = [...new Set(threads.map((t) => t.waitsIn ?? 'an unnamed function'))].slice(0, 3).join(', ');
  return {
    key: 'kernel-wait',
    text: `${named(p)} is blocked in the kernel: ${of} in state D in ${places}${p.killPending ? ', SIGKILL pending' : ''}.`,
    evidence: threads
      .slice(0, 20)
      .map((t) => `PID ${p.pid}, thread ${t.id}: state D, waits in ${t.waitsIn ?? 'unknown'}, ${called(t)}`),
    pids: [p.pid],
    advice: p.killPending
      ? 'It ends when the kernel lets it go; Abandon releases the mutex.'
      : 'Look again: one that stays there obeys no signal, and Abandon releases the mutex.',
  };
}

/** What a thread waits for, without the process's name: for its row in a tree. Null when that was not seen. */
export function waitReason({ awaits, waitsIn, call }: ExaminedThread): string | null {
  if (awaits !== null) return reasonOf(awaits, call);
  return waitsIn === null ? null : `waits in ${waitsIn}`;
}

function reasonOf(awaits: Awaited, call: string | null): string {
  switch (awaits.kind) {
    case 'terminal':
      return `waits for somebody to type at ${awaits.path} (descriptor ${awaits.descriptor})`;
    case 'pipe':
      if (awaits.descriptor === null) return 'waits for the other end of a named pipe to be opened';
      return `waits for ${awaits.direction === 'read' ? 'data from' : 'room in'} a pipe (descriptor ${awaits.descriptor})`;
    case 'socket':
      return `waits for ${awaits.peer ?? 'the other side of a socket'} (descriptor ${awaits.descriptor})`;
    case 'file':
      return `waits in ${call ?? 'a call'} on ${awaits.path}`;
    case 'lock':
      return `waits for a lock (${call ?? 'unknown call'})`;
    case 'timer':
      return 'is in a timed sleep';
    case 'child':
      return 'waits for a child process';
  }
}

const called = (t: ExaminedThread): string => (t.call === null ? 'system call unknown' : `in ${t.call}`);

function* forWhat(
  p: ExaminedProcess,
  thread: ExaminedThread,
  awaits: Awaited,
  f: DiagnosisFacts,
  inTree: ReadonlyMap<number, ExaminedProcess>,
): Generator<Finding> {
  const finding = (key: Finding['key'], text: string, more: string[] = [], pids: number[] = []): Finding => ({
    key,
    text: `${named(p)} ${text}`,
    evidence: [
      `PID ${p.pid}: state ${thread.state}, ${called(thread)}${thread.waitsIn === null ? '' : `, waits in ${thread.waitsIn}`}`,
      ...more,
    ],
    pids: [p.pid, ...pids],
    advice: null,
  });
  switch (awaits.kind) {
    case 'terminal':
      yield {
        ...finding('waits-for-input', `${reasonOf(awaits, thread.call)}.`),
        advice: 'Nobody can answer it here: Cancel it, and start it without a prompt.',
      };
      return;
    case 'pipe': {
      const { descriptor, direction, others } = awaits;
      if (descriptor === null) {
        yield finding('waits-for-pipe', `${reasonOf(awaits, thread.call)}.`);
        return;
      }
      const ends =
        others.length === 0
          ? 'nobody that this host may see has the other end open'
          : `the other end is open in ${others.slice(0, 5).map(named).join(', ')}${others.length > 5 ? ` and ${others.length - 5} more` : ''}`;
      const own = others.some((o) => inTree.has(o.pid));
      const input = descriptor === 0 && direction === 'read' && !own;
      yield finding(
        input ? 'waits-for-input' : 'waits-for-pipe',
        `${input ? 'waits for its standard input, a pipe' : reasonOf(awaits, thread.call)}; ${ends}.`,
        [`descriptor ${descriptor}: pipe, ${direction}`, `other ends: ${others.length}`],
        others.map((o) => o.pid),
      );
      return;
    }
    case 'socket':
      yield finding(
        awaits.descriptor === 0 ? 'waits-for-input' : 'waits-for-network',
        `${reasonOf(awaits, thread.call)}.`,
        [`descriptor ${awaits.descriptor}: socket${awaits.peer === null ? '' : ` to ${awaits.peer}`}`],
      );
      return;
    case 'file':
      yield finding('waits-for-file', `${reasonOf(awaits, thread.call)}.`, [
        `descriptor ${awaits.descriptor}: ${awaits.path}`,
      ]);
      return;
    case 'lock':
      yield finding('waits-for-lock', `${reasonOf(awaits, thread.call)}.`);
      return;
    case 'timer':
      yield finding('waits-for-timer', `${reasonOf(awaits, thread.call)}.`);
      return;
    case 'child': {
      const children = f.processes.filter((c) => c.parentPid === p.pid);
      yield finding(
        'waits-for-child',
        children.length === 0
          ? 'waits for a child that this host does not see.'
          : `waits for its child ${children.slice(0, 5).map(named).join(', ')}${children.length > 5 ? ` and ${children.length - 5} more` : ''}.`,
        [`children: ${children.length}`],
        children.map((c) => c.pid),
      );
    }
  }
}
