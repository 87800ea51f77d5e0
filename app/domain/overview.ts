/** The verdict sentence: the first line of the console, the window title and the tray tooltip. Pure. */
import { count } from './count.ts';
import { longDuration, shortDuration } from './durations.ts';
import type { ConditionSeverity, NextStep } from './condition-parts.ts';
import { plain } from './visible.ts';

export interface OverviewScript {
  readonly ticket: string;
  readonly name: string;
  readonly pid: number | null;
  readonly mutex: string | null;
  readonly state: string;
  readonly key: string;
  readonly next: NextStep;
  readonly severity: ConditionSeverity;
  readonly stuck: boolean;
  readonly orphan: boolean;
  readonly blocks: number;
  readonly attempted: number;
  readonly startedAt: number | null;
  /** Since when it waits, for queued scripts. */
  readonly queuedAt: number | null;
}

export interface OverviewText {
  readonly sentence: string;
  readonly detail: string;
  readonly title: string;
  readonly tooltip: string;
  readonly severity: ConditionSeverity;
  readonly tray: 'idle' | 'running' | 'waiting' | 'stuck' | 'orphan';
  readonly ticket: string | null;
  readonly next: NextStep;
}

const nextNames: Record<NextStep, string> = {
  cancel: 'Cancel',
  kill: 'Force Kill',
  abandon: 'Abandon',
  wait: 'wait',
  'show-holder': 'look at the holder',
  log: 'look at the log',
  none: 'nothing',
};

export function overview(scripts: readonly OverviewScript[], paused: readonly string[], now: number): OverviewText {
  const living = scripts.filter((s) => s.state !== 'final');
  const stuck = living
    .filter((s) => s.stuck)
    // Nobody waits any more for the result of what its agent has left behind: that never gets better by itself.
    .sort((a, b) => Number(b.key === 'left-behind') - Number(a.key === 'left-behind') || b.blocks - a.blocks);
  const waiting = living.filter((s) => s.state === 'queued');
  const running = living.length - waiting.length;
  const orphans = scripts.filter((s) => s.orphan);
  const oldest = waiting.reduce<number | null>(
    (min, s) => (s.queuedAt === null ? min : Math.min(min ?? s.queuedAt, s.queuedAt)),
    null,
  );
  const oldestWait = oldest === null ? null : now - oldest;

  const worst = stuck[0];
  if (worst) {
    const blocked = stuck.reduce((sum, s) => sum + s.blocks, 0);
    const mutexes = [...new Set(stuck.flatMap((s) => s.mutex ?? []))];
    const on =
      mutexes.length === 0 ? '' : mutexes.length === 1 ? ` on "${mutexes[0]}"` : ` on ${mutexes.length} mutexes`;
    const block = stuck.length === 1 ? 'blocks' : 'block';
    const tried = worst.attempted === 0 ? 'Nothing has been tried yet.' : `${count(worst.attempted, 'step')} tried.`;
    return {
      sentence: `${count(stuck.length, 'stuck script')}${blocked === 0 ? `; nothing waits behind ${stuck.length === 1 ? 'it' : 'them'}` : ` ${block} ${count(blocked, 'script')}${on}`}`,
      detail: `${oldestWait === null ? '' : `Oldest wait ${longDuration(oldestWait)}. `}${tried} Next step for "${worst.name}" (PID ${worst.pid ?? 'none'}): ${nextNames[worst.next]}.`,
      title: `${stuck.length} stuck${blocked === 0 ? '' : `, blocks ${blocked}`} - Unjam`,
      tooltip: tip(
        `Unjam: ${stuck.length} STUCK${blocked === 0 ? '' : `, ${block} ${blocked}${on}`}${oldestWait === null ? '' : ` for ${shortDuration(oldestWait)}`}. Double-click to open`,
      ),
      severity: 'critical',
      tray: 'stuck',
      ticket: worst.ticket,
      next: worst.next,
    };
  }

  const ending = living.find((s) => s.key === 'cancelling' || s.key === 'killing');
  const trouble = living.find((s) => s.key === 'unkillable' || s.key === 'cancel-ignored' || s.key === 'orphaned');
  const base = { ticket: null, next: 'none' as NextStep };
  const counts = `${running} running, ${waiting.length === 0 ? 'none' : waiting.length} waiting`;
  if (trouble)
    return {
      sentence: `${trouble.key === 'unkillable' ? 'Unkillable' : trouble.key === 'orphaned' ? 'Runner died' : 'Cancel ignored'}: "${trouble.name}" (PID ${trouble.pid ?? 'none'}). ${trouble.blocks === 0 ? 'Nobody is waiting for it.' : `${count(trouble.blocks, 'script')} ${trouble.blocks === 1 ? 'is' : 'are'} waiting behind it.`}`,
      detail: `Next step: ${nextNames[trouble.next]}. ${counts}.`,
      title: `1 needs attention - Unjam`,
      tooltip: tip(`Unjam: "${trouble.name}" needs attention, PID ${trouble.pid ?? 'none'}. Double-click to open`),
      severity: 'warning',
      tray: waiting.length > 0 ? 'waiting' : 'running',
      ticket: trouble.ticket,
      next: trouble.next,
    };
  if (ending)
    return {
      ...base,
      sentence: `${ending.key === 'killing' ? 'Ending' : 'Cancelling'} "${ending.name}".${ending.blocks === 0 ? '' : ` ${count(ending.blocks, 'script')} ${ending.blocks === 1 ? 'is' : 'are'} waiting behind it.`}`,
      detail: `${counts}.`,
      title: `${ending.key === 'killing' ? 'Ending' : 'Cancelling'} 1 - Unjam`,
      tooltip: tip(`Unjam: ${ending.key === 'killing' ? 'ending' : 'cancelling'} "${ending.name}"`),
      severity: 'info',
      tray: waiting.length > 0 ? 'waiting' : 'running',
      ticket: ending.ticket,
      next: 'wait',
    };
  if (paused.length > 0)
    return {
      ...base,
      sentence: `${paused.length === 1 ? `Mutex "${paused[0]}" is` : `${paused.length} mutexes are`} paused. ${waiting.length === 0 ? 'Nobody is waiting' : `${count(waiting.length, 'script')} ${waiting.length === 1 ? 'is' : 'are'} waiting`}.`,
      detail: 'Next step: resume the mutex when its queue may continue.',
      title: 'Queue paused - Unjam',
      tooltip: tip(`Unjam: ${count(paused.length, 'mutex', 'mutexes')} paused, ${waiting.length} waiting`),
      severity: 'warning',
      tray: 'waiting',
      ticket: waiting[0]?.ticket ?? null,
    };
  const orphan = orphans[0];
  if (orphan)
    return {
      ...base,
      sentence: `${orphans.length === 1 ? '1 abandoned script is still running' : `${orphans.length} abandoned scripts are still running`} (PID ${orphans
        .map((o) => o.pid)
        .slice(0, 3)
        .join(', ')}).${waiting.length === 0 ? ' Nothing is blocked.' : ''}`,
      detail: `It may still change files. ${counts}.`,
      title: `${orphans.length} abandoned - Unjam`,
      tooltip: tip(
        `Unjam: ${count(orphans.length, 'abandoned script')} ${orphans.length === 1 ? 'is' : 'are'} still running (PID ${orphan.pid ?? 'none'}). Nothing is stuck`,
      ),
      severity: 'orphan',
      tray: 'orphan',
      ticket: orphan.ticket,
    };
  if (waiting.length > 0)
    return {
      ...base,
      sentence: `${count(waiting.length, 'script')} ${waiting.length === 1 ? 'is' : 'are'} waiting; nothing is stuck.`,
      detail: `Longest wait ${longDuration(oldestWait ?? 0)}. ${running} running.`,
      title: `${waiting.length} waiting - Unjam`,
      tooltip: tip(`Unjam: ${waiting.length} waiting, none stuck. Longest wait ${shortDuration(oldestWait ?? 0)}`),
      severity: 'info',
      tray: 'waiting',
    };
  return running > 0
    ? {
        ...base,
        sentence: `Nothing is blocked. ${running === 1 ? '1 script is running' : `${running} scripts are running`}.`,
        detail: 'None waiting.',
        title: `${running} running - Unjam`,
        tooltip: `Unjam: ${running} running, none waiting`,
        severity: 'info',
        tray: 'running',
      }
    : {
        ...base,
        sentence: 'Nothing is running.',
        detail: 'No script is waiting for a mutex.',
        title: 'Nothing running - Unjam',
        tooltip: 'Unjam: nothing is running',
        severity: 'neutral',
        tray: 'idle',
      };
}

/** szTip holds 127 units of UTF-16 (NOTIFYICONDATAW); a picture takes two. */
function tip(text: string): string {
  const line = plain(text, 127);
  return line.length <= 127 ? line : plain(line, 63);
}
