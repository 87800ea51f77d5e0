/**
 * Octopus Tentacle, and Calamari, which Tentacle's bootstrap script starts: OctopusTentacle Shell/PowerShell.cs,
 * Shell/Bash.cs, ScriptIsolationMutex.cs; Calamari PowerShellBootstrapper.cs, BashScriptBootstrapper.cs.
 */
import { shells } from '../names.ts';
import type { Recogniser } from '../recogniser.ts';

const bootstrap =
  /(?<home>[A-Za-z]:[^'":\n]*?|\/[^'"\n]*?)[\\/]Work[\\/](?<ticket>[^\\/'"]+)[\\/]Bootstrap\.(?:ps1|sh)/;

export const tentacle: Recogniser = {
  key: 'tentacle',
  name: 'Octopus Tentacle',
  systems: ['linux', 'win32'],
  agent: { names: ['tentacle', 'dotnet'], words: /(?:^|[\\/"\s])Tentacle(?:\.exe|\.dll)?"?\s+run\b/i },
  run: { place: 'below', names: shells, words: bootstrap },
  // Ended while it holds one of its semaphores, Calamari blocks every later deployment: only what is below it is ended.
  carriers: [{ names: ['calamari*'] }],
  leftBehind: { names: shells, words: bootstrap },
  mark: 'TentacleHome',
  variables: ['TentacleInstanceName', 'TentacleVersion'],
  titles: ['Octopus {task} on {TentacleInstanceName}', 'Octopus {task}', 'Octopus script {ticket}', 'Octopus script'],
  log: { paths: ['{home}/Work/{ticket}/Output.log'], form: 'tentacle', maskedBy: 'agent' },
  queue: 'tentacle',
  verbs: ['linux', 'win32'],
  ended: 'The step fails with the exit code of the script.',
  instead:
    'Octopus Tentacle holds its mutex in its own memory: it is free when the script has gone and nobody keeps its output open. If the script cannot be ended, only a restart of the Tentacle service frees it.',
};
