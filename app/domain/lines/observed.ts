/** Messages about scripts that an agent runs: they go to the journal, to stderr and to the Event Log, never into a foreign log. */
import { clockTime } from '../durations.ts';
import type { Survivor } from '../events.ts';
import type { ProcessIdentity } from '../identity.ts';
import type { Actor } from '../script.ts';
import { processes } from '../count.ts';
import { actorText, because, line, type Line, listed, processText } from './parts.ts';

/** Title and agent of an observed script, as far as people know them. */
export interface ObservedName {
  readonly title: string;
  readonly agent: string;
}

const of = ({ title, agent }: ObservedName): string => `"${title}" of ${agent}`;

export const observedCancel = (s: ObservedName, by: Actor, why: string | null, what: string, graceMs: number): Line =>
  line(
    'W601',
    `${actorText(by)} cancelled ${of(s)}${because(why)}: sent ${what}. It has ${Math.round(graceMs / 1000)} s to stop.`,
  );

export const observedNotDeliverable = (s: ObservedName, by: Actor, why: string): Line =>
  line('W602', `Cancel of ${of(s)} by ${actorText(by)} could not be delivered: ${why}.`, 'Next: Force Kill.');

export const observedGone = (
  s: ObservedName,
  how: 'Cancel' | 'Force Kill',
  count: number,
  at: number,
  then: string,
): Line =>
  line(
    how === 'Cancel' ? 'I603' : 'I612',
    `${of(s)}: ${processes(count)} gone at ${clockTime(at)} after ${how}.`,
    then,
  );

export const observedIgnored = (s: ObservedName, left: readonly ProcessIdentity[], total: number): Line =>
  line(
    'W605',
    `Cancel of ${of(s)} was ignored: ${left.length} of ${processes(total)} still running (${listed(left)}).`,
    'Next: Force Kill.',
  );

export const observedKill = (
  s: ObservedName,
  by: Actor,
  why: string | null,
  targets: readonly ProcessIdentity[],
): Line =>
  line(
    'W611',
    `${actorText(by)} used Force Kill on ${of(s)}${because(why)}: ends ${processes(targets.length)} (${listed(targets)}). The agent and its carriers are spared.`,
  );

export const observedUnkillable = (s: ObservedName, survivors: readonly Survivor[], total: number): Line =>
  line(
    'W613',
    `Force Kill of ${of(s)}: ${survivors.length} of ${processes(total)} still exist.`,
    ...survivors.slice(0, 20).map((x) => `${processText(x.process)}: ${x.detail}.`),
  );

export const observedRefused = (s: ObservedName, refused: readonly string[]): Line =>
  line('W616', `Not signalled for ${of(s)}: ${refused.slice(0, 10).join('; ')}.`);

export const observedOutputHeld = (
  s: ObservedName,
  carrier: ProcessIdentity,
  holders: readonly ProcessIdentity[],
): Line =>
  line(
    'W614',
    `${of(s)} has gone, and ${processText(carrier)} still waits: its output is held open by ${listed(holders)}.`,
    'Next: end these, if they are not wanted.',
  );

export const observedTaken = (s: ObservedName, by: Actor, until: number): Line =>
  line('I641', `${actorText(by)} is on ${of(s)}. This is shown until ${clockTime(until)}, or until the script ends.`);

export const observedGivenBack = (s: ObservedName, by: Actor): Line =>
  line('I642', `${actorText(by)} is no longer on ${of(s)}.`);

export const agentSeen = (name: string, process: ProcessIdentity): Line =>
  line('I631', `${name} was seen for the first time: ${processText(process)}. Its scripts are listed as observed.`);
