/** Why a script counts as stuck or not: what was measured, each with its number and limit. */
import { type ConditionFacts, isBusy, overdueBy, silentFor } from './condition-facts.ts';
import { processes } from './count.ts';
import { scripts } from './condition-parts.ts';
import { clockTime, longDuration, shortDuration } from './durations.ts';

/** Evidence for and against "stuck", each with its number and limit. */
export function evidence(f: ConditionFacts): { for: string[]; against: string[] } {
  const pro: string[] = [];
  const contra: string[] = [];
  if (f.verdict !== null || f.startedAt === null) return { for: pro, against: contra };
  const silent = silentFor(f) ?? 0;
  const limit = longDuration(f.thresholds.silentMs);
  if (silent >= f.thresholds.silentMs) pro.push(`No output for ${longDuration(silent)} (limit ${limit}).`);
  else
    contra.push(`${f.lastOutputAt === null ? 'Started' : 'Last output'} ${longDuration(silent)} ago (limit ${limit}).`);
  if ((f.asleep?.sinceOutputMs ?? 0) > 0)
    contra.push(`The machine slept for ${longDuration(f.asleep?.sinceOutputMs ?? 0)} of that time; it is not counted.`);
  if (f.health !== null) {
    const h = f.health;
    const io = h.ioBytes === null ? '' : ` and I/O ${h.ioBytes} bytes`;
    const measured = `CPU ${(h.cpuMs / 1000).toFixed(1)} s${io} in the last ${shortDuration(h.windowMs)}, ${h.processes === 1 ? '1 process' : `all ${h.processes} processes together`}.`;
    if (isBusy(f) === true) contra.push(`${measured} It is probably working.`);
    else pro.push(measured);
  }
  if (f.usual !== null && f.usual.runs > 0) {
    const usual = `Running for ${longDuration(f.now - f.startedAt)}. The last ${f.usual.runs} successful runs took ${shortDuration(f.usual.medianMs)} (median), ${shortDuration(f.usual.maxMs)} at most.`;
    (overdueBy(f) === null ? contra : pro).push(usual);
  }
  if (f.stage.kind === 'ignored')
    pro.push(
      `Cancel was ignored: ${f.stage.left} of ${processes(f.stage.of)} were still running at ${clockTime(f.stage.since)}.`,
    );
  if (f.stage.kind === 'unkillable')
    for (const s of f.stage.survivors) pro.push(`PID ${s.process.pid} (${s.process.name}): ${s.detail}.`);
  if (f.mutex !== null && f.holdsMutex) {
    if (f.blocks > 0) pro.push(`${scripts(f.blocks)} ${f.blocks === 1 ? 'is' : 'are'} waiting for "${f.mutex}".`);
    else contra.push(`Nobody is waiting for "${f.mutex}".`);
  }
  return { for: pro, against: contra };
}
