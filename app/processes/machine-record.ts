/**
 * What an administrator has noted about the one host that serves this whole machine. It lies where only root or
 * administrators can write: nobody else can plant a record that leads callers to a host of their own.
 */

/** `UNJAM_MACHINE_FILE` names another file (Linux); it is believed under the same conditions. */
export const recordPath = (environment = process.env): string =>
  environment['UNJAM_MACHINE_FILE'] || '/etc/unjam/host.json';

/** Its text; null when there is none. @throws when it is there and not to be believed */
export async function readMachineRecord(): Promise<string | null> {
  return process.platform === 'win32'
    ? (await import('./windows/machine-record.ts')).readMachineRecord()
    : (await import('./linux/machine-record.ts')).readMachineRecord(recordPath());
}

/** Null removes it. @throws the system's error, for instance EACCES */
export async function writeMachineRecord(text: string | null): Promise<void> {
  if (process.platform === 'win32') (await import('./windows/machine-record.ts')).writeMachineRecord(text);
  else (await import('./linux/machine-record.ts')).writeMachineRecord(recordPath(), text);
}
