/** cron: a fork of it waits for the job and mails what it printed. */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

export const cron: Recogniser = {
  key: 'cron',
  name: 'cron',
  systems: ['linux'],
  agent: { names: ['cron', 'crond'] },
  run: { place: 'child', names: ['cron', 'crond'] },
  // The fork of cron that mails the output of the job.
  carriers: [{ names: ['cron', 'crond'] }],
  // A line of a crontab may begin with a secret; only a program's path is taken from it.
  script: { names: shells, words: /^\S+\s-c\s(?<program>\/[\w./+-]+)|^\S+\s-c\s/ },
  titles: ['{program} of {user}', 'cron job of {user}', 'cron job'],
  mayBeQuiet: true,
  verbs: ['linux'],
  ended: 'cron mails what the job has printed, as always.',
  instead: 'cron holds nothing. A lock that the job took itself is free when its processes have gone.',
};
