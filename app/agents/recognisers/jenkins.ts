/**
 * Jenkins. Pipeline steps: durable-task BourneShellScript.java, WindowsBatchScript.java, PowershellScript.java; on Linux
 * they have no ancestor. Freestyle steps stand below agent.jar.
 */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

const agent = { names: ['java'], words: /[\\/\s](?:agent|remoting|slave|jenkins)\.(?:jar|war)(?:["\s]|$)/ };
const name = 'Jenkins';
const instead =
  'Executors and lock() are held on the Jenkins controller: they are free when the step has ended. Abort the build there.';

export const jenkins: Recogniser = {
  key: 'jenkins',
  name,
  systems: ['linux', 'win32'],
  agent,
  run: {
    place: 'anywhere',
    names: [...shells, 'durable_task_monitor*'],
    words:
      /(?<control>(?:[A-Za-z]:[^'":\n]*?|\/[^'"\n]*?)[\\/](?<job>[^\\/'"\n]+?)@tmp[\\/]durable-[0-9a-f]{8})(?=[\\/'"\s])/,
    together: 'control',
  },
  // The shell that writes jenkins-result.txt, its heartbeat, and their forms on Windows. Without them Jenkins waits for ever.
  carriers: [
    {
      words: /jenkins-result\.txt|jenkins-wrap\.bat|powershellHelper\.ps1|durable_task_monitor/,
    },
  ],
  script: {
    words: /@tmp[\\/]durable-[0-9a-f]{8}[\\/](?:script\.sh|jenkins-main\.bat|powershell(?:Script|Main|Wrapper)\.ps1)/,
  },
  leftBehind: { words: /@tmp[\\/]durable-[0-9a-f]{8}[\\/]script\.sh/ },
  givenUpWithout: '{control}',
  mark: 'JENKINS_SERVER_COOKIE',
  variables: ['JOB_NAME', 'BUILD_NUMBER', 'STAGE_NAME', 'NODE_NAME'],
  titles: ['{JOB_NAME} #{BUILD_NUMBER} {STAGE_NAME}', '{JOB_NAME} #{BUILD_NUMBER}', '{job}', 'Jenkins step'],
  log: { paths: ['{control}/jenkins-log.txt'], form: 'lines', maskedBy: 'nobody' },
  // Not tried on processes of Windows yet.
  verbs: ['linux'],
  ended: 'The step fails with "script returned exit code 143" (Cancel) or 137 (Force Kill).',
  instead,
};

export const jenkinsFreestyle: Recogniser = {
  key: 'jenkins-freestyle',
  name,
  systems: ['linux', 'win32'],
  agent,
  run: { place: 'below', names: shells, words: /[\\/]jenkins\d+\.(?:sh|bat|ps1)/ },
  mark: 'JENKINS_SERVER_COOKIE',
  variables: ['JOB_NAME', 'BUILD_NUMBER', 'NODE_NAME'],
  titles: ['{JOB_NAME} #{BUILD_NUMBER}', 'Jenkins build step'],
  // Not tried on real processes yet.
  verbs: [],
  ended: 'The build step fails.',
  instead,
};
