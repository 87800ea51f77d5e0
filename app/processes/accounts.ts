/** Accounts and groups of the system by their names. */

/** The id of `kim`, `group:deploy`, `CORP\oncall` …, as it stands in the `ids` of a peer; null when there is none. */
export async function accountId(name: string): Promise<string | null> {
  return process.platform === 'win32'
    ? (await import('./windows/accounts.ts')).accountId(name)
    : (await import('./linux/accounts.ts')).accountId(name);
}

/** Of this process and of those who administer the machine: they are owners whatever is granted. */
export async function ownerIds(): Promise<readonly string[]> {
  if (process.platform !== 'win32') return [`uid:${process.getuid?.() ?? 0}`, 'uid:0'];
  const { userSid } = await import('./windows/token.ts');
  const [system, administrators] = ['S-1-5-18', 'S-1-5-32-544'];
  return [userSid(process.pid), system, administrators].filter((sid) => sid !== null);
}
