/** Whatever a script, a mutex, a process or a machine is called: toast, menu, tooltip and question stay one readable text. */
import { expect, test } from 'vitest';
import { overview } from '../../app/domain/overview.ts';
import { incidentSummary } from '../../app/domain/incident-summary.ts';
import * as questions from '../../main/page/confirm-text.ts';
import { orphanExitedToast, releasedToast, scriptToast } from '../../main/toasts/texts.ts';
import { trayMenu } from '../../main/tray/menu.ts';
import { trayFace } from '../../main/tray/tray.ts';
import { expectHarmless, hostile } from '../support/hostile.ts';
import { detail, mutex, now, script, snapshot } from './fixtures.ts';

const name = hostile('name') + 'x'.repeat(10_000);
const condition = { ...script().condition, headline: name };
const stuck = script({ name, mutex: name, condition });
const held = mutex(name, [stuck]);
const inFull = detail({
  name,
  mutex: name,
  condition,
  waiters: [{ ticket: 'w', name, position: 1, isolation: 'full', since: new Date(now).toISOString() }] as never,
  processes: [{ ...detail().processes[0]!, name, commandLine: name }],
});

test('a toast has lines of bounded length', () => {
  const toasts = [
    ...([1, 2, 3] as const).map((level) => scriptToast(stuck, held, level, now)),
    releasedToast('t', name, held),
    orphanExitedToast(stuck),
  ];
  for (const { title, body } of toasts)
    for (const text of [title, body]) {
      expectHarmless(text, 'toast', true);
      expect(text.length).toBeLessThan(300);
    }
});

test('the menu of the tray has short labels, and its tooltip fits', () => {
  const state = {
    kind: 'online',
    role: 'host',
    snapshot: snapshot([stuck], [held], { tooltip: hostile('tip') }),
  } as const;
  const labels = trayMenu({ engine: state, pausedUntil: null, now: () => now, startsAtLogin: null }, {} as never).map((item) => item.label ?? ''); // prettier-ignore
  expect(labels.some((label) => label.includes('=cmd|'))).toBe(true);
  for (const label of labels) {
    expectHarmless(label, 'menu', true);
    expect(label.length).toBeLessThan(120);
  }
  const { tooltip } = trayFace(state);
  expectHarmless(tooltip, 'tooltip', true);
  expect(tooltip.length).toBeLessThanOrEqual(127);
});

test('the tooltip of a host fits whatever a script is called, also in pictures', () => {
  for (const called of [name, '\u{1f680}'.repeat(200)]) {
    const cancelling = { ...script({ name: called, stuck: false }), key: 'cancelling' };
    const { title, tooltip } = overview([cancelling] as never, [], now);
    expect(tooltip).toContain('cancelling');
    expectHarmless(tooltip, 'tooltip', true);
    expect(tooltip.length).toBeLessThanOrEqual(127);
    expectHarmless(title, 'title', true);
  }
});

test('a native question shows such names in one line each', () => {
  const all = [
    questions.killText(inFull, name, now),
    questions.cancelText(inFull, { ticket: 't', reason: name }, now),
    questions.cancelManyText([inFull, inFull], name),
    questions.abandonText(inFull, { reason: name }),
    questions.resumeText({ ...held, waiters: held.waiters.map((w) => ({ ...w, name })) }),
    questions.completeText(inFull),
    questions.startText({ command: [hostile('word')], cwd: hostile('folder'), notify: [hostile('notify')], environment: { [hostile('key')]: hostile('value') } }, hostile('machine')), // prettier-ignore
  ];
  for (const text of all) {
    expect(text).not.toBeNull();
    expectHarmless(text?.message ?? '', 'message', true);
    expectHarmless(text?.detail ?? '', text?.message ?? '');
    expect(text?.message.length).toBeLessThan(200);
  }
});

test('a command that is too long to be read is not asked about', () => {
  expect(questions.startText({ command: [name] }, 'WEB-01')).toBeNull();
});

test('the copied summary of an incident forges no line', () => {
  expectHarmless(incidentSummary({ machine: hostile('m'), at: new Date(now).toISOString(), situation: [name] }, [inFull]), 'summary'); // prettier-ignore
});
