/**
 * Group Policy on Windows: values below HKLM\Software\Policies\Unjam, which only administrators can write. Read with
 * `reg.exe`, so that no native code is needed for a look that happens once a minute.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export const policyKeyPath = 'HKLM\\Software\\Policies\\Unjam';

export interface RegistryPolicy {
  /** Names and values as they stand there; empty when there is no policy. */
  read(): Promise<Readonly<Record<string, unknown>>>;
}

export const noRegistry: RegistryPolicy = { read: async () => ({}) };

export const windowsRegistry: RegistryPolicy = {
  read: () =>
    new Promise((resolve, reject) => {
      // By its full path: what lies in the working folder or on PATH must not answer for the administrator.
      const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'reg.exe');
      execFile(
        program,
        ['query', policyKeyPath, '/reg:64'],
        { windowsHide: true, timeout: 10_000 },
        (error, stdout) => {
          if (error === null) resolve(parseRegQuery(stdout));
          // reg.exe exits with 1 when the key is not there, which is the usual case.
          else if (error.code === 1) resolve({});
          else reject(new Error(`reg.exe failed: ${error.message}`));
        },
      );
    }),
};

/**
 * The output of `reg query`: four spaces between name, type and data, in every language. Numbers are REG_DWORD in
 * hexadecimal, or text where Group Policy has no fractions.
 */
export function parseRegQuery(output: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const line of output.split(/\r?\n/)) {
    const found = /^ {4}(.+?) {4}(REG_[A-Z_]+) {4}(.*)$/.exec(line);
    const [, name, type, data] = found ?? [];
    if (name === undefined || type === undefined || data === undefined) continue;
    if (type === 'REG_DWORD' || type === 'REG_QWORD') values[name] = Number(data);
    else if (type === 'REG_SZ') values[name] = /^\d+([.,]\d+)?$/.test(data) ? Number(data.replace(',', '.')) : data;
    else values[name] = `${type} ${data}`;
  }
  return values;
}
