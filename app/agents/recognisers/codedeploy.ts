/** AWS CodeDeploy agent up to 1.8, which is Ruby: hook_executor.rb, runner/child.rb. */
import type { Recogniser } from '../recogniser.ts';

export const codeDeploy: Recogniser = {
  key: 'codedeploy',
  name: 'AWS CodeDeploy agent',
  systems: ['linux', 'win32'],
  agent: { names: ['ruby*', 'codedeploy-agent*'], words: /codedeploy-agent:\s|codedeploy-agent\.rb/ },
  run: {
    place: 'below',
    words:
      /(?<deploymentFolder>(?:[A-Za-z]:[^'":\n]*?|\/[^'"\n]*?)deployment-root[\\/][^\\/'"\n]+[\\/](?<deployment>d-[A-Z0-9]+))[\\/]deployment-archive[\\/]/,
  },
  mark: 'LIFECYCLE_EVENT',
  variables: ['APPLICATION_NAME', 'DEPLOYMENT_GROUP_NAME', 'DEPLOYMENT_ID', 'LIFECYCLE_EVENT'],
  titles: [
    '{APPLICATION_NAME} {LIFECYCLE_EVENT} ({DEPLOYMENT_ID})',
    'CodeDeploy deployment {deployment}',
    'CodeDeploy hook',
  ],
  log: { paths: ['{deploymentFolder}/logs/scripts.log'], form: 'lines', maskedBy: 'nobody' },
  // Not tried on real processes yet.
  verbs: [],
  ended: 'The lifecycle event fails; the deployment ends or rolls back as it is set.',
  instead: 'CodeDeploy runs one deployment on a host; it takes the next one when this hook has ended.',
};
