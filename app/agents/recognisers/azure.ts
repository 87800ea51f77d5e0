/** Azure Pipelines agent: azure-pipelines-agent JobRunner.cs, TaskRunner.cs; azure-pipelines-tasks BashV3, PowerShellV2. */
import { nodes, shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

export const azure: Recogniser = {
  key: 'azure-pipelines',
  name: 'Azure Pipelines agent',
  systems: ['linux', 'win32'],
  agent: { names: ['agent.listener', 'agentservice'] },
  run: {
    place: 'anywhere',
    names: ['agent.worker'],
    words: /^"?(?<home>[^"\n]*?)[\\/]bin[^\\/]*[\\/]Agent\.Worker|Agent\.Worker/i,
  },
  carriers: [
    { names: ['agent.worker'] },
    // The program of the task: it waits for the script, and is the script where it starts none.
    {
      names: [...nodes, ...shells],
      words: /[\\/]_tasks[\\/](?<task>\w+?)_[0-9a-f-]{36}[\\/]/i,
      whileItWaits: true,
    },
  ],
  leftBehind: {
    names: shells,
    words: /[\\/]_work[\\/]_temp[\\/][0-9a-f-]{36}\.(?:sh|ps1|cmd)/i,
    variable: 'SYSTEM_TEAMPROJECT',
  },
  mark: 'TF_BUILD',
  variables: [
    'SYSTEM_TEAMPROJECT',
    'BUILD_DEFINITIONNAME',
    'RELEASE_RELEASENAME',
    'BUILD_BUILDNUMBER',
    'AGENT_JOBNAME',
    'SYSTEM_JOBDISPLAYNAME',
    'SYSTEM_TASKDISPLAYNAME',
    'AGENT_NAME',
  ],
  titles: [
    '{SYSTEM_TEAMPROJECT} / {BUILD_DEFINITIONNAME} {BUILD_BUILDNUMBER} / {SYSTEM_TASKDISPLAYNAME}',
    '{SYSTEM_TEAMPROJECT} / {RELEASE_RELEASENAME} / {SYSTEM_TASKDISPLAYNAME}',
    '{SYSTEM_TEAMPROJECT} / {SYSTEM_TASKDISPLAYNAME}',
    'Azure Pipelines {task}',
    'Azure Pipelines job',
  ],
  log: { newestIn: '{home}/_diag/pages', form: 'timed-lines', maskedBy: 'agent' },
  // Not tried on real processes yet.
  verbs: [],
  ended: 'The task fails with the exit code of the script.',
  instead:
    'The agent takes the next job when this one has ended. An exclusive lock is held on the server: cancel the run there.',
};
