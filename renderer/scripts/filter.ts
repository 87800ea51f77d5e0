/** Which scripts the list shows. Pure. */
import type { ScriptView } from '../contract.ts';
import { isLiving } from './order.ts';

export const groups = ['all', 'stuck', 'waiting', 'running', 'abandoned', 'observed', 'supervised'] as const;
export type Group = (typeof groups)[number];

export const groupLabels: Readonly<Record<Group, string>> = {
  all: 'All',
  stuck: 'Stuck',
  waiting: 'Waiting',
  running: 'Running',
  abandoned: 'Abandoned',
  observed: 'Observed',
  supervised: 'Supervised',
};

export function isInGroup(s: ScriptView, group: Group): boolean {
  switch (group) {
    case 'all':
      return true;
    case 'stuck':
      return s.stuck;
    case 'waiting':
      return s.state === 'queued';
    case 'running':
      return isLiving(s) && s.state !== 'queued' && s.state !== 'final';
    case 'abandoned':
      return s.orphan || s.verdict === 'abandoned';
    case 'observed':
      return s.observed !== undefined;
    case 'supervised':
      return s.observed === undefined;
  }
}

export function matchesText(s: ScriptView, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const agent = s.observed ?? s.job;
  const of = agent === undefined ? [] : [agent.agent.name, agent.name];
  return [s.name, s.ticket, s.mutex ?? '', String(s.pid ?? ''), s.condition.label, ...of].some((field) =>
    field.toLowerCase().includes(wanted),
  );
}
