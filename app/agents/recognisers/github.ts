/** GitHub Actions runner: actions/runner JobDispatcher.cs, ScriptHandler.cs, GitHubContext.cs, Logging.cs. */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

export const github: Recogniser = {
  key: 'github',
  name: 'GitHub Actions runner',
  systems: ['linux', 'win32'],
  agent: { names: ['runner.listener', 'runnerservice'] },
  run: {
    place: 'anywhere',
    names: ['runner.worker'],
    words: /^"?(?<home>[^"\n]*?)[\\/]bin[^\\/]*[\\/]Runner\.Worker|Runner\.Worker/i,
  },
  carriers: [{ names: ['runner.worker'] }],
  leftBehind: {
    names: shells,
    words: /[\\/]_work[\\/]_temp[\\/][0-9a-f-]{36}\.(?:sh|ps1|cmd)/i,
    variable: 'GITHUB_JOB',
  },
  mark: 'GITHUB_ACTIONS',
  variables: [
    'GITHUB_REPOSITORY',
    'GITHUB_WORKFLOW',
    'GITHUB_JOB',
    'GITHUB_RUN_ID',
    'GITHUB_RUN_NUMBER',
    'GITHUB_ACTION',
    'RUNNER_NAME',
  ],
  titles: [
    '{GITHUB_REPOSITORY} / {GITHUB_WORKFLOW} / {GITHUB_JOB} #{GITHUB_RUN_NUMBER}',
    '{GITHUB_REPOSITORY} / {GITHUB_JOB}',
    'GitHub Actions job',
  ],
  log: { newestIn: '{home}/_diag/pages', form: 'timed-lines', maskedBy: 'agent' },
  verbs: ['linux', 'win32'],
  ended: 'The step fails with the exit code of the script; later steps run as the workflow says.',
  instead:
    'The runner takes the next job when this one has ended. A concurrency group is held on GitHub: cancel the run there.',
};
