/** Calamari below sshd: an Octopus SSH target has no agent. */
import type { Recogniser } from '../recogniser.ts';

export const calamariSsh: Recogniser = {
  key: 'octopus-ssh',
  name: 'Octopus over SSH',
  systems: ['linux'],
  run: { place: 'anywhere', names: ['calamari*'], under: { names: ['sshd', 'sshd-session'] } },
  carriers: [{ names: ['calamari*'] }],
  titles: ['Octopus deployment over SSH'],
  verbs: ['linux'],
  ended: 'The step fails with the exit code of the script.',
  instead: 'Calamari holds a lock file of Octopus; the system frees it when Calamari has ended.',
};
