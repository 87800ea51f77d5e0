/** AWS Systems Manager, Run Command: amazon-ssm-agent proc/process.go, runscript.go, iohandler.go. */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

export const ssm: Recogniser = {
  key: 'aws-ssm',
  name: 'AWS Systems Manager agent',
  systems: ['linux', 'win32'],
  agent: { names: ['amazon-ssm-agent', 'ssm-agent-worker'] },
  run: {
    place: 'anywhere',
    names: ['ssm-document-worker'],
    words: /ssm-document-worker(?:\.exe)?"?\s+(?<command>[0-9a-f-]{36})|ssm-document-worker/i,
  },
  carriers: [{ names: ['ssm-document-worker'] }],
  script: { words: /(?<folder>[A-Za-z]:[^'":\n]*?|\/[^'"\n]*?)[\\/]_script\.(?:sh|ps1)/ },
  leftBehind: {
    names: shells,
    words: /(?<folder>(?:[A-Za-z]:[^'":\n]*?|\/[^'"\n]*?)orchestration[^'"\n]*?)[\\/]_script\.(?:sh|ps1)/,
  },
  mark: 'SSM_COMMAND_ID',
  variables: ['SSM_COMMAND_ID', 'AWS_SSM_INSTANCE_ID'],
  titles: ['Run Command {SSM_COMMAND_ID}', 'Run Command {command}', 'Run Command'],
  log: { paths: ['{folder}/stdout'], form: 'lines', maskedBy: 'nobody' },
  // Not tried on real processes yet.
  verbs: [],
  ended: 'The command fails with the exit code of the script, 137 after Force Kill.',
  instead: 'The agent holds no lock for a command; cancel the command in Systems Manager.',
};
