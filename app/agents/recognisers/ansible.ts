/** Ansible on its target: ansible action/__init__.py, async_wrapper.py. The play's name stands nowhere on the target. */
import type { Recogniser } from '../recogniser.ts';

const pythons = ['python*', 'platform-python*'] as const;
const shellsAndPythons = ['sh', 'bash', 'dash', 'zsh', 'sudo', ...pythons] as const;
const module = /[\\/]ansible-tmp-[\d.]+-\d+-\d+[\\/](?:AnsiballZ_(?<module>\w+)\.py)?/;

export const ansible: Recogniser = {
  key: 'ansible',
  name: 'Ansible',
  systems: ['linux'],
  run: { place: 'anywhere', names: shellsAndPythons, words: module },
  carriers: [
    { names: ['sh', 'bash', 'dash', 'zsh', 'sudo'], words: module },
    { names: pythons, words: /async_wrapper\.py\s+(?<asyncJob>j?[\d.]+)/, whileItWaits: true },
    // The module reports the result of its command; without a command it is the script.
    { names: pythons, words: module, whileItWaits: true },
  ],
  titles: ['Ansible {module} (async {asyncJob})', 'Ansible {module}', 'Ansible task'],
  verbs: ['linux'],
  ended: 'The task fails with the return code of the command, -15 or -9.',
  instead: 'Ansible holds nothing on this machine but what its module holds.',
};
