/** GitLab Runner with the shell executor: gitlab-runner shells/bash.go, executors/shell/shell.go. */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

export const gitlab: Recogniser = {
  key: 'gitlab',
  name: 'GitLab Runner',
  systems: ['linux', 'win32'],
  agent: { names: ['gitlab-runner', 'gitlab-runner-*'], words: /gitlab-runner\S*"?\s+run(?:-single)?\b/i },
  run: { place: 'child', names: ['su', ...shells] },
  carriers: [{ names: ['su'], whileItWaits: true }],
  // The script comes by standard input and exports these itself: only what it starts has them.
  mark: 'GITLAB_CI',
  variables: ['CI_JOB_ID', 'CI_JOB_NAME', 'CI_PROJECT_PATH', 'CI_JOB_STAGE'],
  titles: ['{CI_PROJECT_PATH} / {CI_JOB_NAME} (job {CI_JOB_ID})', 'GitLab job {CI_JOB_ID}', 'GitLab job'],
  // Not tried on processes of Windows yet.
  verbs: ['linux'],
  ended: 'The job fails with a script failure.',
  instead:
    'The runner takes the next job when this one has ended. A resource_group is held by GitLab: cancel the job there.',
};
