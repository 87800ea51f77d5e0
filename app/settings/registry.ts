/**
 * Group Policy on Windows: values below HKLM\\Software\\Policies\\Unjam, which only administrators can write.
 */
import { machineKey, type RegistryValue } from '../processes/index.ts';

const keyPath = 'Software\\Policies\\Unjam';
export const policyKeyPath = `HKLM\\${keyPath}`;

export interface RegistryPolicy {
  /**
   * Names and values as they stand there; empty when there is no policy.
   * @throws Error when that cannot be told
   */
  read(): Promise<Readonly<Record<string, unknown>>>;
}

export const noRegistry: RegistryPolicy = { read: async () => ({}) };

export const windowsRegistry: RegistryPolicy = {
  read: async () => policyValues((await machineKey(keyPath)) ?? {}),
};

/** Group Policy writes fractions as text. Pure. */
export function policyValues(values: Readonly<Record<string, RegistryValue>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]): [string, unknown] => {
      if (typeof value === 'bigint') return [name, Number(value)];
      if (typeof value !== 'string') return [name, value];
      return [name, /^\d+([.,]\d+)?$/.test(value) ? Number(value.replace(',', '.')) : value];
    }),
  );
}
