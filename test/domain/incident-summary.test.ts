/** One text for the incident, whether it was copied from the tray or from the console. */
import { expect, test } from 'vitest';
import { incidentSummary } from '../../app/domain/incident-summary.ts';
import { fullTime } from '../../app/domain/times.ts';
import { at, detail, minutes, now, script } from '../main/fixtures.ts';

const host = { machine: 'WEB-01', at: at(now) };

test('the tray names the host, what is wrong with it, and every script that it was given', () => {
  const text = incidentSummary({ ...host, situation: ['2 stuck scripts block 3 scripts.', ''] }, [
    script(),
    script({ ticket: 'db', name: 'Migrate', pid: null, mutex: null, isolation: null, startedAt: null }),
  ]);
  const [situation, ...rest] = text.split('\n\n');
  expect(situation).toBe(`WEB-01, ${fullTime(host.at)}\n2 stuck scripts block 3 scripts.`);
  expect(rest.join('\n\n')).toContain('Ticket: web-eu-4\nPID: 7312\nMutex: RunningScript (full isolation, held)\n');
  expect(rest.join('\n\n')).toContain('Ticket: db\nPID: none\nMutex: none\n');
  expect(text).toContain('Started: not started');
});

test('a script that was looked at brings what the look has found, in the same words', () => {
  const more = detail({
    evidence: { for: ['No output for 47 min.'], against: [] },
    attempts: [{ at: at(now - minutes(1)), what: 'cancel', actor: 'kim (cli)', code: null, text: null }],
  });
  const text = incidentSummary(host, [more]);
  expect(text.startsWith(`${more.name} on WEB-01, ${fullTime(host.at)}\n${more.condition.headline}\n\nTicket: `)).toBe(
    true,
  );
  expect(text).toContain('\nEvidence:\n- No output for 47 min.\n');
  expect(text).not.toContain('Against:');
  expect(text).toContain(`\nActions so far:\n- ${fullTime(at(now - minutes(1)))} cancel by kim (cli): \n`);
  for (const line of incidentSummary(host, [script()]).trim().split('\n'))
    if (!line.startsWith('Created')) expect(text).toContain(line);
});

test('no name can forge a line of it', () => {
  const text = incidentSummary(host, [script({ name: 'a\u202eb\u0007' })]);
  expect(text).toContain('a⟨RLO⟩b⟨BEL⟩ on WEB-01');
});
