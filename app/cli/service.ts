/** `unjam service`: the host as a service of this machine. */
import { resolve } from 'node:path';
import { machineHost } from '../access/machine-host.ts';
import { installService, removeService } from '../access/service.ts';
import { programProblem, serviceManager } from '../processes/service.ts';
import { takeOver } from '../host/take-over.ts';
import { block, print, printJson, say } from './output.ts';
import { person } from './person.ts';

export async function install(): Promise<void> {
  const [, program] = process.argv;
  if (program === undefined) throw new Error('the path of this program is unknown');
  const manager = serviceManager();
  await installService({ manager, node: process.execPath, program: resolve(program), programProblem, say });
  print(
    [
      `The host of this machine runs as a service; its state is in ${manager.places.stateDirectory}.`,
      'Administrators may use it. Give others a role: unjam access grant <account> operator',
    ].join('\n'),
  );
}

export async function status(options: { json?: boolean }): Promise<void> {
  const service = await serviceManager().status();
  const host = await machineHost();
  if (options.json)
    printJson<'service status'>({
      ...service,
      stateDirectory: host?.stateDirectory ?? null,
      door: host?.door ?? null,
    });
  else
    print(
      block([
        `Service: ${service.text}`,
        ...(host === null ? [] : [`State directory: ${host.stateDirectory}`, `Door: ${host.door}`]),
      ]),
    );
  if (!service.running) process.exitCode = 1;
}

export async function remove(): Promise<void> {
  const manager = serviceManager();
  const { stateDirectory } = manager.places;
  await removeService({ manager }, (directory) => takeOver(directory, { user: person(), via: 'cli' }));
  print(`The service is gone; scripts keep running. See them with UNJAM_HOME=${stateDirectory} unjam ps`);
}
