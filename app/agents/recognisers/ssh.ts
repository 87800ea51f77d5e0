/** Commands over ssh without a terminal. */
import type { Recogniser } from '../recogniser.ts';

export const ssh: Recogniser = {
  key: 'ssh',
  name: 'OpenSSH server',
  systems: ['linux'],
  agent: { names: ['sshd'], words: /^(?:\S*\/)?sshd(?::?\s|$)/ },
  // A session with a terminal belongs to a person: it is never observed.
  run: { place: 'anywhere', names: ['sshd', 'sshd-session'], words: /^sshd(?:-session)?:\s(?<login>[^@\s]+)@notty/ },
  carriers: [{ names: ['sshd', 'sshd-session'] }],
  script: { except: ['sftp-server', 'scp', 'rsync', 'git-upload-pack', 'git-receive-pack'] },
  titles: ['ssh command of {login}', 'ssh command'],
  mayBeQuiet: true,
  verbs: ['linux'],
  ended: 'The ssh client returns the exit code of the script, or 255 when a signal has ended it.',
  instead: 'sshd holds nothing. A lock that the command took itself is free when its processes have gone.',
};
