/**
 * The fire drill: a harmless script that ignores Cancel and holds a mutex, and two that wait for it, so that people
 * have used all three verbs before they need them. Every script ends by itself.
 */
import { UnjamError } from '../contract/errors.ts';
import type { Input, Output, ScriptView } from '../contract/methods.ts';
import { drillMutex, drillName } from '../domain/drill.ts';

const defaultMinutes = 15;

export interface DrillParts {
  readonly start: (input: Input<'scripts.start'>) => Promise<ScriptView>;
  readonly living: () => readonly ScriptView[];
  /** A plain Node: the one that runs the runners, so that nothing has to be installed. */
  readonly node: string;
  readonly now: () => number;
}

/** @throws UnjamError `not-possible` while another drill goes on */
export async function startDrill(minutes: number = defaultMinutes, parts: DrillParts): Promise<Output<'drill.start'>> {
  const other = parts.living().find((script) => script.mutex?.toLowerCase() === drillMutex && script.state !== 'final');
  if (other)
    throw new UnjamError(
      'not-possible',
      `A fire drill is already running: "${other.name}" (ticket ${other.ticket}).`,
      'Free it with the three verbs, or wait until it ends by itself.',
    );
  const ms = Math.round(minutes * 60_000);
  const isolation = { level: 'full', mutex: drillMutex } as const;
  const script = (name: string, program: string): Input<'scripts.start'> => ({
    name,
    command: [parts.node, '-e', program, String(ms)],
    isolation: { ...isolation },
  });
  const hung = await parts.start(script(drillName, hungProgram));
  const waiting = [
    await parts.start(script('Fire drill: next deployment', nextProgram)),
    await parts.start(script('Fire drill: last deployment', nextProgram)),
  ];
  return { mutex: drillMutex, hung, waiting, endsBy: new Date(parts.now() + ms).toISOString() };
}

/*
 * The programs run with `node -e`: there is no shell that every platform has, and no file that could be missing.
 * Windows ends a Node about ten seconds after its console was closed, whatever it does (SIGHUP in Node's process docs).
 */
const hungProgram = `const ms = Number(process.argv[1]);
const say = (...lines) => lines.forEach((line) => console.log(line));
say('FIRE DRILL. This script is harmless: it only waits. It ignores Cancel, holds the mutex "fire drill",',
  'and ends by itself after ' + Math.round(ms / 6000) / 10 + ' min. Two scripts are waiting behind it.',
  'Free them as you would at night, in this order:',
  '  1. Cancel it (Del). It will ignore this.',
  '  2. Force Kill it (Shift+Del). Its processes end, and the next script starts.',
  '  3. Abandon (Ctrl+Shift+Del, type its PID) is for what even Force Kill cannot end: try it in another drill.',
  'How long you took is shown with the script when its mutex is free.',
  'Copying 1842 files ...');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK', 'SIGQUIT'])
  try { process.on(signal, () => say('(' + signal + ' came. This script ignores it.)')); } catch {}
setTimeout(() => { say('The fire drill ends by itself.'); process.exit(0); }, ms);`;

const nextProgram = `const ms = Math.min(20000, Number(process.argv[1]));
console.log('FIRE DRILL. This deployment had to wait. It copies nothing for ' + ms / 1000 + ' s.');
setTimeout(() => console.log('Done.'), ms);`;
