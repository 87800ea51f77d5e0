/** Services of systemd that run to their end (Type=oneshot), as timers start them. */
import type { Recogniser } from '../recogniser.ts';

export const systemd: Recogniser = {
  key: 'systemd',
  name: 'systemd',
  systems: ['linux'],
  agent: { names: ['systemd'], words: /^(?:\S*\/)?(?:systemd|init)\b(?!.*--user)/ },
  run: { place: 'child', oneshotUnit: true },
  titles: ['{unit}', 'systemd unit'],
  mayBeQuiet: true,
  verbs: [],
  ended: 'The unit fails.',
  instead: 'This is a unit of systemd: "systemctl stop" ends it and knows what belongs to it.',
};
