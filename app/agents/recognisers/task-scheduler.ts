/** Windows Task Scheduler: the children of its svchost.exe. */
import type { Recogniser } from '../recogniser.ts';

export const taskScheduler: Recogniser = {
  key: 'task-scheduler',
  name: 'Windows Task Scheduler',
  systems: ['win32'],
  agent: { names: ['svchost'], words: /\s-s\s+Schedule\b/i },
  run: { place: 'child', except: ['taskhostw', 'taskhost', 'taskhostex', 'conhost'] },
  titles: ['Scheduled task of {user}', 'Scheduled task'],
  mayBeQuiet: true,
  verbs: [],
  ended: 'The task ends with the exit code of its program.',
  instead: 'This is a scheduled task: end it in the Task Scheduler, which knows its name.',
};
