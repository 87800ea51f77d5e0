/** Programs that NSSM or WinSW runs as a Windows service. */
import type { Recogniser } from '../recogniser.ts';

export const serviceWrappers: Recogniser = {
  key: 'service-wrapper',
  name: 'Service wrapper (NSSM)',
  systems: ['win32'],
  agent: { names: ['nssm', 'nssm64', 'winsw*'] },
  run: { place: 'child', except: ['conhost'] },
  titles: ['Program of a service'],
  mayBeQuiet: true,
  verbs: [],
  ended: 'The wrapper starts the program again, as it is set.',
  instead: 'This is a service: stop it in the list of services, or the wrapper starts it again.',
};
