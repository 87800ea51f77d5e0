/** Installs and removes the machine's host. Scripts outlive all of it, and nothing that they left is deleted. */
import { UnjamError } from '../contract/errors.ts';
import { openStateDirectory } from '../host/host-files.ts';
import type { ServiceManager } from '../processes/service.ts';
import { recordMachineHost } from './machine-host.ts';
import { scheduledTask, systemdUnit } from './service-texts.ts';

export interface ServiceParts {
  readonly manager: ServiceManager;
  readonly node: string;
  readonly program: string;
  readonly programProblem: (path: string) => Promise<string | null>;
  readonly say: (line: string) => void;
}

/** @throws UnjamError `not-possible`, `state-directory`; what was begun is taken back then */
export async function installService({ manager, node, program, programProblem, say }: ServiceParts): Promise<void> {
  await permitted(manager);
  for (const path of [node, program]) {
    const problem = await programProblem(path);
    if (problem !== null)
      throw new UnjamError(
        'not-possible',
        `A service of the administrator must not run what others can change: ${problem}. Nothing was installed.`,
        'Install Unjam and Node where only the administrator can write, and run the command from there.',
      );
  }
  const { stateDirectory, door } = manager.places;
  await openStateDirectory(stateDirectory, say);
  await recordMachineHost({ schema: 1, stateDirectory, door, account: manager.account });
  const text = manager.kind === 'systemd' ? systemdUnit : scheduledTask;
  try {
    await manager.install(text({ node, program, stateDirectory }));
  } catch (error) {
    await recordMachineHost(null);
    throw failed(error as Error);
  }
}

/**
 * `retire` asks the host of a state directory to end, and does nothing when none lives.
 * @throws UnjamError `not-possible`, and what `retire` throws: run it again then
 */
export async function removeService(
  { manager }: Pick<ServiceParts, 'manager'>,
  retire: (stateDirectory: string) => Promise<void>,
): Promise<void> {
  await permitted(manager);
  try {
    await manager.remove();
  } catch (error) {
    throw failed(error as Error);
  }
  await retire(manager.places.stateDirectory);
  await recordMachineHost(null);
}

async function permitted(manager: ServiceManager): Promise<void> {
  const problem = await manager.problem();
  if (problem !== null)
    throw new UnjamError(
      'not-possible',
      `The service cannot be changed: ${problem}. Nothing was done.`,
      manager.kind === 'systemd'
        ? 'Run it as root, on a machine with systemd; elsewhere start "unjam serve" with what starts your services.'
        : 'Run it in a terminal that was started as administrator.',
    );
}

const failed = (error: Error): UnjamError =>
  new UnjamError(
    'not-possible',
    `The service manager refused: ${error.message}.`,
    'Correct that and run the command again.',
  );
