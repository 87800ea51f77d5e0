/** Closes what Unjam keeps to other users of the machine, where file modes do not. Null when done, else why not. */

/** The state directory, with everything below it. */
export async function closeFolderToOthers(directory: string): Promise<string | null> {
  return process.platform === 'win32' ? (await import('./windows/owner-only.ts')).restrictFolder(directory) : null;
}

/** The host's door, once it listens. */
export async function closeAddressToOthers(address: string): Promise<string | null> {
  return process.platform === 'win32' ? (await import('./windows/owner-only.ts')).restrictPipe(address) : null;
}
