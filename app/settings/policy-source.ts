/** Where an administrator's words are found: the machine file and, on Windows, the registry. */
import { join, resolve } from 'node:path';
import type { Platform } from '../domain/platform.ts';
import { emptyLayer, type Layer, policyLayer } from './layers.ts';
import { noRegistry, policyKeyPath, type RegistryPolicy, windowsRegistry } from './registry.ts';
import { distrust, readSettingsFile } from './settings-file.ts';

export interface PolicySource {
  /** Null where no machine file is believed. */
  readonly machineFile: string | null;
  /** Why the machine file is not to be believed; null when it is. */
  readonly distrust: (path: string) => string | null;
  readonly registry: RegistryPolicy;
}

/**
 * On Windows everybody may make a folder in ProgramData, so the file there counts only for a host whose own (closed)
 * state directory that folder is: one that is installed per machine. The registry counts always.
 */
export function policySource(platform: Platform, stateDirectory: string, environment = process.env): PolicySource {
  if (platform !== 'win32') return { machineFile: '/etc/unjam/policy.json', distrust, registry: noRegistry };
  const folder = join(environment['ProgramData'] ?? 'C:\\ProgramData', 'Unjam');
  const own = resolve(stateDirectory).toLowerCase() === resolve(folder).toLowerCase();
  return { machineFile: own ? join(folder, 'policy.json') : null, distrust: () => null, registry: windowsRegistry };
}

export function readMachineFile({ machineFile, distrust: doubt }: PolicySource): Layer {
  if (machineFile === null) return emptyLayer;
  const content = readSettingsFile(machineFile);
  if (content.kind === 'absent') return emptyLayer;
  const why = content.kind === 'damaged' ? content.why : doubt(machineFile);
  if (why !== null) return { values: {}, problems: [`${machineFile} is not used: ${why}.`] };
  return content.kind === 'values' ? policyLayer(content.raw, machineFile) : emptyLayer;
}

/** What was read last stays in force when the registry cannot be read. */
export async function readRegistry({ registry }: PolicySource, before: Layer): Promise<Layer> {
  try {
    return policyLayer(await registry.read(), policyKeyPath);
  } catch (error) {
    const problem = `${policyKeyPath} could not be read: ${(error as Error).message}. What was read before holds.`;
    return { values: before.values, problems: [problem] };
  }
}
