/** Sentences that more than one dialog says. Pure. */
import type { HostInfo, ScriptDetail, ScriptView } from '../contract.ts';
import { count } from './counts.ts';
import { shortDuration, longDuration } from '../../app/domain/durations.ts';
import { visible } from './visible.ts';

const signalNames: Readonly<Record<string, string>> = { 'ctrl-c': 'Ctrl+C', 'ctrl-break': 'Ctrl+Break' };
const platformNames: Readonly<Record<HostInfo['platform'], string>> = { win32: 'Windows', linux: 'Linux' };

export const signalName = (signal: string): string => signalNames[signal] ?? signal;
export const platformName = (host: HostInfo | null): string =>
  host === null ? 'The system' : platformNames[host.platform];

export const quoted = (name: string): string => `"${visible(name)}"`;

/** "PID 7312 (powershell.exe)" */
export function processName(view: ScriptView): string {
  const { process, pid } = view;
  if (process !== null) return `PID ${process.pid} (${visible(process.name)})`;
  return pid === null ? 'the script' : `PID ${pid}`;
}

export function allProcesses(detail: ScriptDetail | null): string {
  const n = detail?.processes.length ?? 0;
  if (n === 0) return 'all its processes have';
  if (n === 1) return 'its process has';
  return n === 2 ? 'both processes have' : `all ${n} processes have`;
}

/** What starts next; null when nothing is waiting. */
export function nextInLine(detail: ScriptDetail | null, now: number): string | null {
  const next = detail?.waiters[0];
  return next === undefined
    ? null
    : `${quoted(next.name)} (waiting for ${shortDuration(now - Date.parse(next.since))})`;
}

/** What has been tried, in order of the ladder. */
export function tried(detail: ScriptDetail | null, now: number): readonly string[] {
  if (detail === null) return [];
  const last = (what: string) => detail.attempts.findLast((attempt) => attempt.what === what);
  const cancel = last('cancel');
  const kill = last('kill');
  const wasIgnored = detail.condition.key.includes('ignored') || kill !== undefined;
  const sentences: string[] = [];
  if (cancel === undefined) sentences.push('Cancel has not been tried.');
  else
    sentences.push(
      `Cancel was sent ${longDuration(now - Date.parse(cancel.at))} ago${wasIgnored ? ' and was ignored' : ''}.`,
    );
  if (kill !== undefined) {
    const survivors = detail.processes.filter((process) => process.survivor !== null);
    const why = survivors
      .map((process) => `PID ${process.pid} (${visible(process.name)}): ${visible(process.survivor?.detail ?? '')}`)
      .join('; ');
    sentences.push(
      why === ''
        ? `Force Kill was tried ${longDuration(now - Date.parse(kill.at))} ago.`
        : `Force Kill failed: ${why}.`,
    );
  }
  return sentences;
}

/** Why Force Kill also asks for the typed pid: nothing says that the script is stuck, or it has many processes. Null = it does not. */
export function riskOfKill(detail: ScriptDetail | null): string | null {
  if (detail === null) return 'Its state is not known yet.';
  if (!detail.stuck && !detail.orphan && detail.attempts.length === 0) return 'This script does not look stuck.';
  return detail.processes.length > 20 ? `It has ${detail.processes.length} processes.` : null;
}

export const processCount = (n: number): string => count(n, 'process', 'processes');
