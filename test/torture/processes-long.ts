/** The torture of processes.test.ts with as many kills as you like: npm run torture -- processes [kills] */
import { chaos } from './processes-chaos.ts';

const report = await chaos({ kills: Number(process.argv[2] ?? 300), parallel: 20, killEveryMs: 250 });
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
const { lostScripts, wrongExitCodes, ranTwice, missingCompletions, duplicateCompletions, foreignSignals } = report;
const bad = [lostScripts, wrongExitCodes, ranTwice, missingCompletions, duplicateCompletions, foreignSignals];
process.exitCode =
  bad.every((list) => list.length === 0) &&
  Object.values(report.leaks)
    .flat()
    .every((n) => n === 0) &&
  report.busyMutexes === 0
    ? 0
    : 1;
