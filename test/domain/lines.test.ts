/** Each line says who, which process, how many, which mutex and what next, as far as it was told; and nothing more. */
import { describe, expect, test } from 'vitest';
import * as lines from '../../app/domain/lines.ts';
import type { Line, MutexFacts } from '../../app/domain/lines.ts';
import { at0312, hour, identity, kim, minute, survivor, unjam } from '../support/fake-domain.ts';
import { bannedWords } from '../support/fake-words.ts';

const root = identity(7312, { name: 'powershell.exe' });
const child = identity(8444, { name: 'robocopy.exe' });
const joint: MutexFacts = { name: 'RunningScript', waiting: 3, next: 'Deploy b', joint: 'Migrate' };
const mutex: MutexFacts = { name: 'RunningScript', waiting: 3, next: 'Deploy api-eu / step 1' };
const rootText = 'PID 7312 (powershell.exe, started 02:20:50)';
const at = at0312;
const holder = {
  name: 'Deploy web-eu / step 4',
  ticket: '9f2c-41aa',
  pid: 7312,
  level: 'full' as const,
  heldMs: 5 * minute + 58_000,
};

/** What every line of a kind must hold when it was told all there is to tell. */
const told: { name: string; line: Line; code: string; holds: string[] }[] = [
  {
    name: 'cancelRequested',
    code: 'W201',
    line: lines.cancelRequested({
      actor: kim,
      at,
      reason: 'INC-4471',
      sent: 'Ctrl-Break',
      root,
      graceMs: 30_000,
      escalate: false,
      total: 3,
      mutex,
    }),
    holds: [
      'CONTOSO\\kim (window)',
      '03:12:50',
      '"INC-4471"',
      'Ctrl-Break',
      rootText,
      '30 s to exit',
      'nothing is forced',
      'all 3 processes',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: wait',
    ],
  },
  {
    name: 'cancelRequested, escalating',
    code: 'W201',
    line: lines.cancelRequested({
      actor: kim,
      at,
      reason: null,
      sent: 'SIGTERM',
      root,
      graceMs: 10_000,
      escalate: true,
      total: 1,
      mutex,
    }),
    holds: ['then Unjam ends what is left', 'its process has gone'],
  },
  {
    name: 'cancelRequested without a mutex',
    code: 'W201',
    line: lines.cancelRequested({
      actor: kim,
      at,
      reason: null,
      sent: 'SIGTERM',
      root,
      graceMs: 10_000,
      escalate: true,
      total: 3,
      mutex: null,
    }),
    holds: ['CONTOSO\\kim (window)', rootText, '3 processes', 'Next: wait'],
  },
  {
    name: 'cancelUndeliverable',
    code: 'W202',
    line: lines.cancelUndeliverable(kim, at, root, 'SIGTERM', 'EPERM', mutex),
    holds: [
      'CONTOSO\\kim (window)',
      rootText,
      'EPERM',
      'Nothing was stopped',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: Force Kill',
    ],
  },
  {
    name: 'endedAfterCancel',
    code: 'I203',
    line: lines.endedAfterCancel({ root, afterMs: 4_000, exit: 'exit code 0', total: 3, mutex, at }),
    holds: [
      rootText,
      '4.0 s after Cancel',
      'exit code 0',
      'all 3 processes have gone',
      '"RunningScript" released 03:12:50',
      'Next in line: "Deploy api-eu / step 1"',
    ],
  },
  {
    name: 'childrenLeft',
    code: 'W204',
    line: lines.childrenLeft(root, [child], mutex),
    holds: [
      rootText,
      '1 process of its tree is still running (8444 robocopy.exe)',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: Force Kill',
    ],
  },
  {
    name: 'cancelIgnored',
    code: 'W205',
    line: lines.cancelIgnored({ afterMs: 30_000, root, left: [root, child], of: 3, mutex }),
    holds: [
      '30 s after Cancel 2 of 3 processes are still running (7312 powershell.exe, 8444 robocopy.exe)',
      rootText,
      '"RunningScript" is still held',
      '3 scripts are waiting',
      'Next: Force Kill',
    ],
  },
  {
    name: 'cancelTooLate',
    code: 'W206',
    line: lines.cancelTooLate('Cancel', root, at, 'exit code 0'),
    holds: ['Cancel not needed', rootText, 'by itself at 03:12:50', 'exit code 0', 'Nothing was stopped'],
  },
  {
    name: 'leftQueue',
    code: 'W207',
    line: lines.leftQueue('RunningScript', kim, 'Cancel', at, 'INC-4471'),
    holds: ['CONTOSO\\kim (window)', '03:12:50', '"INC-4471"', '"RunningScript"', 'never started', 'No process'],
  },
  {
    name: 'killRequested',
    code: 'W211',
    line: lines.killRequested({
      actor: kim,
      why: `requested by ${lines.actorText(kim)}`,
      at,
      reason: 'INC-4471',
      root,
      targets: [root, child],
      mutex,
    }),
    holds: [
      'requested by CONTOSO\\kim (window)',
      '03:12:50',
      '"INC-4471"',
      '2 processes: 7312 powershell.exe, 8444 robocopy.exe',
      rootText,
      'no chance to clean up',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: wait',
    ],
  },
  {
    name: 'killed',
    code: 'I212',
    line: lines.killed({ total: 3, afterMs: 400, root, exit: 'signal SIGKILL', mutex, at }),
    holds: [
      'all 3 processes ended after 0.4 s',
      rootText,
      'signal SIGKILL (from Unjam, not from the script)',
      '"RunningScript" released',
      'Next in line',
    ],
  },
  {
    name: 'killIncomplete',
    code: 'W213',
    line: lines.killIncomplete([child], 3, 5_000, mutex),
    holds: [
      '2 of 3 processes ended',
      'PID 8444 (robocopy.exe, started 02:20:50) still exists after 5.0 s',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: wait',
    ],
  },
  {
    name: 'unkillable in the kernel',
    code: 'W214',
    line: lines.unkillable([survivor(8444)], 3, 30_000, true, mutex),
    holds: [
      '1 of 3 processes still exists 30 s after Force Kill',
      'PID 8444 (program-8444.exe, started 02:20:50)',
      'inside a kernel call',
      'Unjam cannot tell which',
      '"RunningScript" is still held',
      '3 scripts are waiting',
      'Next: Abandon',
    ],
  },
  {
    name: 'unkillable for want of rights',
    code: 'W215',
    line: lines.unkillable([survivor(8444, 'access', 'error 5, access denied')], 3, 30_000, false, mutex),
    holds: [
      'The system refused to end PID 8444',
      'error 5, access denied',
      'without administrator rights',
      'restart Unjam as administrator, or Abandon',
    ],
  },
  {
    name: 'unkillable with rights and still refused',
    code: 'W215',
    line: lines.unkillable([survivor(8444, 'access', 'error 5')], 1, 30_000, true, mutex),
    holds: ['The system refused', 'Next: Abandon.'],
  },
  {
    name: 'killDisabled',
    code: 'W217',
    line: lines.killDisabled(),
    holds: ['NOT sent', 'Nothing was ended', 'Next: unset'],
  },
  {
    name: 'abandoned',
    code: 'W221',
    line: lines.abandoned({ actor: kim, at, reason: 'INC-4471', left: [root, child], mutex, holdQueue: false }),
    holds: [
      'ABANDONED by CONTOSO\\kim (window) at 03:12:50',
      '"INC-4471"',
      'released mutex "RunningScript"',
      'NOTHING WAS ENDED: 2 processes',
      rootText,
      'may still change',
      'still recorded',
      'Next in line: "Deploy api-eu / step 1"; it runs beside',
      '3 scripts are waiting',
      'Next: Force Kill',
    ],
  },
  {
    name: 'abandoned with the queue held',
    code: 'W221',
    line: lines.abandoned({ actor: kim, at, reason: null, left: [root], mutex, holdQueue: true }),
    holds: ['The queue is paused: 3 scripts are waiting. Next: unjam locks resume "RunningScript"'],
  },
  {
    name: 'abandoned when nothing was left and nobody waits',
    code: 'W221',
    line: lines.abandoned({
      actor: kim,
      at,
      reason: null,
      left: [],
      mutex: { ...mutex, waiting: 0, next: null },
      holdQueue: false,
    }),
    holds: ['NOTHING WAS ENDED, and no process of the script was found running', 'Nobody is waiting'],
  },
  {
    name: 'holdAbandoned',
    code: 'W221',
    line: lines.holdAbandoned({
      actor: kim,
      at,
      reason: 'INC-4471',
      name: 'bash backup.sh',
      ticket: '20261120-031250-a1b2c3',
      left: [root],
      mutex,
      holdQueue: false,
    }),
    holds: [
      'The hold of "bash backup.sh" (ticket 20261120-031250-a1b2c3, by "unjam hold") was ABANDONED by CONTOSO\\kim (window) at 03:12:50',
      'released mutex "RunningScript"',
      'NOTHING WAS ENDED: 1 process',
      rootText,
      'Next in line: "Deploy api-eu / step 1"; it runs beside',
      'Next: end the command yourself',
    ],
  },
  {
    name: 'besideOrphan',
    code: 'W222',
    line: lines.besideOrphan('RunningScript', at, {
      name: 'Deploy web-eu / step 4',
      ticket: '9f2c-41aa',
      process: root,
    }),
    holds: [
      '"RunningScript" acquired 03:12:50',
      rootText,
      '"Deploy web-eu / step 4", ticket 9f2c-41aa',
      'NOT isolated',
    ],
  },
  {
    name: 'abandoned while another script runs under the same hold',
    code: 'W221',
    line: lines.abandoned({ actor: kim, at, reason: null, left: [root], mutex: joint, holdQueue: false }),
    holds: ['released its hold of mutex "RunningScript"; "Migrate"', 'still holds it', 'Next: abandon that one too.'],
  },
  {
    name: 'inherited',
    code: 'W107',
    line: lines.inherited('RunningScript', at, { name: 'Deploy', ticket: '9f2c-41aa', fence: 7 }),
    holds: [
      '"Deploy" (ticket 9f2c-41aa, fence 7)',
      'since 03:12:50',
      '--inherit-hold',
      'NOT isolated',
      'when all of them have gone',
    ],
  },
  {
    name: 'jointGoesOn',
    code: 'I109',
    line: lines.jointGoesOn(joint, at) as lines.Line,
    holds: ['given back 03:12:50', '"Migrate" runs on under it', 'stays held'],
  },
  {
    name: 'startedDeadlock',
    code: 'W108',
    line: lines.startedDeadlock('RunningScript', { name: 'Migrate', ticket: '9f2c-41aa' }),
    holds: ['"Migrate" (ticket 9f2c-41aa)', 'which this script holds', 'refused', 'Next: start it with --inherit-hold'],
  },
  {
    name: 'workspaceKept',
    code: 'W223',
    line: lines.workspaceKept('D:\\Work', 'EBUSY'),
    holds: ['D:\\Work', 'EBUSY', 'tries again'],
  },
  {
    name: 'removedWhileWritten',
    code: 'W227',
    line: lines.removedWhileWritten([child]),
    holds: ['1 process', 'still has the script’s output open', 'cannot be read any more', 'takes space'],
  },
  {
    name: 'orphanExited',
    code: 'I224',
    line: lines.orphanExited(root, at + 108 * minute, at, 'exit code 0', 1),
    holds: [rootText, '1 h 48 min after it was abandoned', 'exit code 0', '1 byte of output'],
  },
  { name: 'orphanLost', code: 'W225', line: lines.orphanLost(root), holds: [rootText, 'unknown'] },
  {
    name: 'resumed',
    code: 'W226',
    line: lines.resumed('RunningScript', kim, at, mutex.next),
    holds: ['"RunningScript" resumed by CONTOSO\\kim (window) at 03:12:50', 'Next in line'],
  },
  {
    name: 'timedOut overall',
    code: 'W231',
    line: lines.timedOut({
      timeout: 'overall',
      limitMs: hour,
      at,
      sent: 'SIGTERM',
      root,
      graceMs: 10_000,
      total: 3,
      mutex,
    }),
    holds: [
      'Time limit reached at 03:12:50',
      '1 h 00 min',
      'SIGTERM',
      rootText,
      '3 processes',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: wait',
    ],
  },
  {
    name: 'timedOut without output',
    code: 'W231',
    line: lines.timedOut({
      timeout: 'no-output',
      limitMs: 10 * minute,
      at,
      sent: 'SIGTERM',
      root,
      graceMs: 10_000,
      total: 3,
      mutex,
    }),
    holds: ['no output for 10 min'],
  },
  {
    name: 'runnerDied',
    code: 'W304',
    line: lines.runnerDied(root, null, mutex),
    holds: [
      rootText,
      'is still running',
      '"RunningScript" stays held',
      '3 scripts are waiting',
      'Next: wait for its end, or Cancel, Force Kill or Abandon',
    ],
  },
  {
    name: 'recovered',
    code: 'W301',
    line: lines.recovered(at, root, '9f2c-41aa', 'RunningScript'),
    holds: ['03:12:50', rootText, '9f2c-41aa', '"RunningScript" is unchanged'],
  },
  {
    name: 'lost',
    code: 'W302',
    line: lines.lost('the machine was restarted', 'RunningScript'),
    holds: ['the machine was restarted', 'unknown', '"RunningScript" is released', 'Next: look at the log'],
  },
  {
    name: 'lost, its pid used again',
    code: 'W303',
    line: lines.lost('its runner died', 'RunningScript', child),
    holds: [
      'its runner died',
      `PID ${child.pid} belongs to another program now`,
      'is not touched',
      '"RunningScript" is released',
    ],
  },
  {
    name: 'holderStuck',
    code: 'W102',
    line: lines.holderStuck('RunningScript', holder, ['No output for 10 min (limit 10 min).'], 'WEB-EU-07'),
    holds: [
      'The holder of mutex "RunningScript", "Deploy web-eu / step 4" (ticket 9f2c-41aa, PID 7312), looks stuck. No output for 10 min (limit 10 min).',
      'an operator on WEB-EU-07 can Cancel, Force Kill or Abandon it in Unjam.',
    ],
  },
  {
    name: 'halfOfLimit',
    code: 'W232',
    line: lines.halfOfLimit('overall', 3_600_000),
    holds: ['Half of the time limit', 'At the limit it is cancelled.'],
  },
  {
    name: 'halfOfLimit without output',
    code: 'W232',
    line: lines.halfOfLimit('no-output', 600_000),
    holds: ['No output for 5 min', 'half of the output limit of 10 min'],
  },
  {
    name: 'halfOfLimit without any output',
    code: 'W232',
    line: lines.halfOfLimit('first-output', 600_000),
    holds: ['No output yet after 5 min', 'half of the first output limit of 10 min'],
  },
  {
    name: 'killRefused',
    code: 'W216',
    line: lines.killRefused(kim, at, { pid: 7_300 }, root),
    holds: ['CONTOSO\\kim (window) at 03:12:50', 'meant for PID 7300', rootText, 'Nothing was ended.'],
  },
  {
    name: 'waiting',
    code: 'I101',
    line: lines.waiting('RunningScript', [holder], 1, 3, null),
    holds: [
      'Waiting for mutex "RunningScript". Held by "Deploy web-eu / step 4" (ticket 9f2c-41aa, PID 7312, Full isolation) for 5 min 58 s. Position 1 of 3.',
    ],
  },
  {
    name: 'acquired',
    code: 'I103',
    line: lines.acquired('RunningScript', 400, at),
    holds: ['"RunningScript" acquired 03:12:50 after waiting 0.4 s'],
  },
  {
    name: 'gaveUpWaiting',
    code: 'W104',
    line: lines.gaveUpWaiting('RunningScript', hour, [holder]),
    holds: ['1 h 00 min', 'PID 7312', 'never started', 'Next: look at the holder'],
  },
  {
    name: 'leftRunning',
    code: 'I105',
    line: lines.leftRunning([child], mutex, at),
    holds: ['1 process running (8444 robocopy.exe)', 'does not end them', 'Next in line'],
  },
  { name: 'startFailed', code: 'W106', line: lines.startFailed('ENOENT'), holds: ['could not be started: ENOENT'] },
];

describe('a log line', () => {
  test.each(told)('$code $name tells everything that it was told', ({ line, code, holds }) => {
    expect(line.code).toBe(code);
    for (const part of holds) expect(line.text).toContain(part);
  });

  test.each(told)(
    '$code $name is one line of whole sentences without guesses, claims or holes',
    ({ line: { text } }) => {
      expect(text).not.toMatch(/[\n\r\t]| {2}|\.\.(?!\.)|\b(null|undefined|NaN|Infinity)\b/);
      expect(text.toLowerCase()).not.toMatch(bannedWords);
      expect(text).toMatch(/^[A-Z].*\.$/);
    },
  );

  test.each(told.filter(({ line }) => /stays held|still held/.test(line.text)))(
    '$code $name, which leaves a mutex held, says how many wait and what to do next',
    ({ line: { text } }) => {
      expect(text).toContain('3 scripts are waiting.');
      expect(text).toMatch(/Next: \S/);
    },
  );

  test.each(told)('$code $name never says "stopped" or "ended" of something uncounted', ({ line: { text } }) => {
    for (const sentence of text.split(/(?<=\.) /).filter((s) => /\b(stopped|ended)\b/i.test(s)))
      expect(sentence).toMatch(/\d|nothing|no process|by itself|when the orphan/i);
  });

  test('names Unjam as the actor of what Unjam does by itself', () => {
    expect(lines.actorText(unjam)).toBe('Unjam');
  });

  test('counts one waiter as one', () => {
    expect(
      lines.cancelIgnored({ afterMs: 0, root, left: [root], of: 1, mutex: { ...mutex, waiting: 1 } }).text,
    ).toContain('1 script is waiting.');
  });

  test('says nothing of a mutex to a script that has none', () => {
    for (const { text } of [
      lines.cancelUndeliverable(kim, at, root, 'SIGTERM', 'EPERM', null),
      lines.cancelIgnored({ afterMs: 0, root, left: [root], of: 1, mutex: null }),
      lines.killIncomplete([child], 2, 0, null),
      lines.unkillable([survivor(1)], 1, 0, true, null),
      lines.runnerDied(root, { code: 3, signal: null }, null),
    ])
      expect(text).not.toMatch(/[Mm]utex|wait\.|waits\./);
  });

  test('lists at most 20 of many processes, and counts the rest', () => {
    const many = Array.from({ length: 25 }, (_, i) => identity(100 + i));
    expect(lines.cancelIgnored({ afterMs: 0, root, left: many, of: 25, mutex: null }).text).toContain('and 5 more');
    const survivors = many.slice(0, 8).map((p) => survivor(p.pid));
    expect(lines.unkillable(survivors, 25, 0, true, null).text).toContain('3 more.');
    expect(lines.waiting('m', [holder, holder, holder, holder], 1, 1, null).text).toContain('and 1 more');
  });

  test('of a waiter says why it waits when nobody holds the mutex', () => {
    expect(lines.waiting('m', [], 1, 2, 'CONTOSO\\kim (window)').text).toContain('paused by CONTOSO\\kim (window)');
    expect(lines.leftRunning([child], joint, at).text).toContain(
      '"Migrate" runs on under it, so the mutex stays held.',
    );
    expect(lines.waiting('m', [], 1, 2, null).text).toContain('changing now');
    expect(lines.waiting('m', [{ ...holder, pid: null, level: 'none' }], 1, 2, null).text).toContain(
      'not started yet, No isolation',
    );
  });

  test.each([
    [null, 'exit code unknown'],
    [{ code: null, signal: null }, 'exit code unknown'],
    [{ code: 5, signal: null }, 'exit code 5'],
    [{ code: null, signal: 'SIGKILL' }, 'signal SIGKILL'],
    [{ code: 65_535, signal: null }, 'exit code 65535'],
    [{ code: 3_221_225_786, signal: null }, 'exit code 3221225786 (0xC000013A)'],
  ])('writes the exit %o as "%s"', (exit, text) => {
    expect(lines.exitText(exit)).toBe(text);
  });
});
