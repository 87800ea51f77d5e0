/** Buildkite agent: buildkite/agent job_runner.go, executor.go, process.go. */
import type { Recogniser } from '../recogniser.ts';

const bootstrap = { names: ['buildkite-agent'], words: /buildkite-agent(?:\.exe)?"?\s+bootstrap\b/i };

export const buildkite: Recogniser = {
  key: 'buildkite',
  name: 'Buildkite agent',
  systems: ['linux', 'win32'],
  agent: { names: ['buildkite-agent'], words: /buildkite-agent(?:\.exe)?"?\s+start\b/i },
  run: { place: 'anywhere', ...bootstrap },
  carriers: [bootstrap],
  mark: 'BUILDKITE',
  variables: [
    'BUILDKITE_PIPELINE_SLUG',
    'BUILDKITE_BUILD_NUMBER',
    'BUILDKITE_LABEL',
    'BUILDKITE_STEP_KEY',
    'BUILDKITE_JOB_ID',
    'BUILDKITE_AGENT_NAME',
    'BUILDKITE_JOB_LOG_TMPFILE',
  ],
  titles: [
    '{BUILDKITE_PIPELINE_SLUG} #{BUILDKITE_BUILD_NUMBER} {BUILDKITE_LABEL}',
    '{BUILDKITE_PIPELINE_SLUG} #{BUILDKITE_BUILD_NUMBER}',
    'Buildkite job',
  ],
  log: { paths: ['{BUILDKITE_JOB_LOG_TMPFILE}'], form: 'lines', maskedBy: 'agent' },
  verbs: ['linux', 'win32'],
  ended: 'The job fails with the exit code of the script; its clean-up hooks run.',
  instead:
    'The agent takes the next job when this one has ended. A concurrency group is held by Buildkite: cancel the job there.',
};
