/** Each class of a diagnosis, by example: the facts that make it, and the numbers that it names. */
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../app/domain/diagnosis.ts';
import { findingKeys } from '../../app/domain/findings.ts';
import { at0312, hour, minute, survivor } from '../support/fake-domain.ts';
import { diagnosisFacts as facts, examinedProcess as process, thread } from '../support/fake-diagnosis.ts';

const kernel = thread({ state: 'kernel', waitsIn: 'request_wait_answer', call: 'read' });
const waiting = { mutex: 'RunningScript', pausedBy: null, position: 2, of: 3, estimate: null, holder: null };

const examples: [string, ReturnType<typeof facts>, string, RegExp][] = [
  [
    'a final script',
    facts({ verdict: { kind: 'exited', at: at0312 - minute }, processes: [] }),
    'finished',
    /ended 1 min ago \(exited\); none of its processes is left/,
  ],
  [
    'survivors of Force Kill',
    facts({ stage: { kind: 'unkillable', since: at0312 - 30_000, survivors: [survivor(8444)], of: 3 } }),
    'unkillable',
    /1 of 3 processes still exist after 30 s.*PID 8444 .*SIGKILL pending/,
  ],
  [
    'an ignored Cancel, with who ignores the signal',
    facts({
      stage: { kind: 'ignored', since: at0312 - minute, left: 2, of: 3 },
      processes: [process({ pid: 12, ignoredSignals: ['SIGTERM'] })],
    }),
    'cancel-ignored',
    /2 of 3 processes .* ended 1 min ago.*PID 12 \(bash\) ignores SIGTERM/,
  ],
  [
    'a Cancel under way, with who handles the signal',
    facts({
      stage: { kind: 'cancelling', since: at0312 - 2_000, until: at0312 + 8_000 },
      processes: [process({ pid: 12, caughtSignals: ['SIGTERM'] })],
    }),
    'cancelling',
    /sent 2 s ago; 8 s of the grace period are left.*PID 12 \(bash\) handles SIGTERM itself/,
  ],
  [
    'a waiter',
    facts({
      state: 'queued',
      processes: [],
      waiting: { ...waiting, holder: { name: 'Deploy web', ticket: 't-1', pid: 77, heldMs: 52 * minute } },
    }),
    'waits-for-mutex',
    /waiting 13 min for mutex "RunningScript"; "Deploy web" \(ticket t-1, PID 77\) has been ahead of it for 52 min.*position 2 of 3/,
  ],
  [
    'a waiter of a paused mutex',
    facts({ state: 'queued', processes: [], waiting: { ...waiting, pausedBy: 'kim (window)' } }),
    'mutex-paused',
    /kim \(window\) has paused it.*position 2 of 3/,
  ],
  [
    'a runner that has gone',
    facts({ runner: { pid: 40, alive: false, stopped: false, heartbeatAgeMs: 4_000 } }),
    'runner-gone',
    /PID 40.*heartbeat: 4\.0 s ago/,
  ],
  [
    'a stopped runner',
    facts({ runner: { pid: 40, alive: true, stopped: true, heartbeatAgeMs: 4_000 } }),
    'runner-stopped',
    /PID 40.*state T.*kill -CONT 40/,
  ],
  [
    'a silent runner',
    facts({ runner: { pid: 40, alive: true, stopped: false, heartbeatAgeMs: 61_000 } }),
    'runner-silent',
    /PID 40\) exists but has shown no sign of life for 1 min 1 s/,
  ],
  [
    'a process of another user',
    facts({ processes: [process({ pid: 12, user: 'postgres', foreign: true })] }),
    'other-user',
    /PID 12 \(bash\) runs as postgres/,
  ],
  ['a stopped process', facts({ processes: [process({ pid: 12, state: 'stopped' })] }), 'stopped', /kill -CONT 12/],
  [
    'a thread blocked in the kernel, by its number',
    facts({ processes: [process({ pid: 12, threadCount: 9, threads: [thread(), { ...kernel, id: 15 }] })] }),
    'kernel-wait',
    /1 of 9 threads in state D in request_wait_answer.*thread 15: state D, waits in request_wait_answer, in read/,
  ],
  [
    'a process at the gate',
    facts({ processes: [process({ pid: 12, atGate: true })] }),
    'at-gate',
    /PID 12 .* gate for 12 min/,
  ],
  [
    'a process that computes',
    facts({ processes: [process({ pid: 12, cpuDeltaMs: 490 })] }),
    'cpu-busy',
    /490 ms of CPU in 500 ms/,
  ],
  [
    'a prompt on a terminal',
    facts({ processes: [awaiting({ kind: 'terminal', descriptor: 0, path: '/dev/pts/3' })] }),
    'waits-for-input',
    /type at \/dev\/pts\/3 \(descriptor 0\)/,
  ],
  [
    'a pipe on standard input that comes from outside',
    facts({ processes: [awaiting({ kind: 'pipe', direction: 'read', descriptor: 0, others: [] })] }),
    'waits-for-input',
    /standard input, a pipe.*other ends: 0/,
  ],
  [
    'a pipe from another process of the script',
    facts({
      processes: [
        awaiting({ kind: 'pipe', direction: 'read', descriptor: 0, others: [{ pid: 13, name: 'sleep' }] }),
        process({ pid: 13, name: 'sleep' }),
      ],
    }),
    'waits-for-pipe',
    /data from a pipe \(descriptor 0\); the other end is open in PID 13 \(sleep\)/,
  ],
  [
    'a pipe that nobody empties',
    facts({ processes: [awaiting({ kind: 'pipe', direction: 'write', descriptor: 1, others: [] })] }),
    'waits-for-pipe',
    /room in a pipe \(descriptor 1\); nobody that this host may see/,
  ],
  [
    'the other end of a named pipe',
    facts({ processes: [awaiting({ kind: 'pipe', direction: 'read', descriptor: null, others: [] })] }),
    'waits-for-pipe',
    /PID 12 .* other end of a named pipe to be opened/,
  ],
  [
    'a server that does not answer',
    facts({ processes: [awaiting({ kind: 'socket', descriptor: 4, peer: '10.1.2.3:443' })] }),
    'waits-for-network',
    /10\.1\.2\.3:443 \(descriptor 4\)/,
  ],
  [
    'a file',
    facts({ processes: [awaiting({ kind: 'file', descriptor: 4, path: '/mnt/share/a' })] }),
    'waits-for-file',
    /\/mnt\/share\/a/,
  ],
  ['a lock', facts({ processes: [awaiting({ kind: 'lock' })] }), 'waits-for-lock', /PID 12 .* lock \(read\)/],
  [
    'nothing seen of the script’s own work',
    facts({
      processes: [process({ pid: 12, cpuMs: 10 })],
      output: { bytes: 0, lastAt: null, lastLine: null, silentAfterMs: hour },
    }),
    'never-ran',
    /in 12 min: 0 bytes written, 10 ms of CPU, no child/,
  ],
  ['a timer', facts({ processes: [awaiting({ kind: 'timer' })] }), 'waits-for-timer', /PID 12 .* is in a timed sleep/],
  [
    'a child',
    facts({ processes: [awaiting({ kind: 'child' }), process({ pid: 13, parentPid: 12, name: 'robocopy' })] }),
    'waits-for-child',
    /PID 12 \(bash\) waits for its child PID 13 \(robocopy\)/,
  ],
  [
    'silence',
    facts({ output: { bytes: 80, lastAt: at0312 - 11 * minute, lastLine: 'copying', silentAfterMs: 10 * minute } }),
    'silent',
    /No output for 11 min; the last line was "copying".*80 bytes/,
  ],
  ['a system that cannot tell', facts({ examined: false }), 'not-measured', /1 process .* cannot be measured/],
  ['nothing unusual', facts(), 'nothing-unusual', /in 1 process over 500 ms/],
];

function awaiting(awaits: NonNullable<ReturnType<typeof thread>['awaits']>) {
  return process({ pid: 12, threads: [thread({ id: 12, call: 'read', awaits })] });
}

describe('why', () => {
  test.each(examples)('%s', (_, given, key, says) => {
    const found = diagnose(given).find((f) => f.key === key);
    expect([found?.text, ...(found?.evidence ?? []), found?.advice].join(' ')).toMatch(says);
  });

  test('every class has an example', () => {
    // Found by the look at observed scripts and machine locks (app/observed/why.ts).
    const elsewhere = ['output-held-open', 'agent-given-up', 'blocks-others', 'waits-for-foreign-lock'];
    expect(new Set([...examples.map(([, , key]) => key), ...elsewhere])).toEqual(new Set(findingKeys));
  });

  test('the most telling class comes first: a child in the kernel before its parent that waits for it', () => {
    const found = diagnose(
      facts({ processes: [awaiting({ kind: 'child' }), process({ pid: 13, parentPid: 12, threads: [kernel] })] }),
    );
    expect(found.map((f) => f.key)).toEqual(['kernel-wait', 'waits-for-child']);
  });

  test('a busy process is not called silent before its time, nor blocked because it computes', () => {
    expect(diagnose(facts({ processes: [process({ cpuDeltaMs: 400 })] })).map((f) => f.key)).toEqual(['cpu-busy']);
    expect(diagnose(facts({ processes: [process({ cpuDeltaMs: 399 })] })).map((f) => f.key)).toEqual([
      'nothing-unusual',
    ]);
  });
});
