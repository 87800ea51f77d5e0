/** The PATH of a machine as a list of folders; what stands there is kept as it is written. Pure. */

const plain = (folder: string): string =>
  folder
    .replace(/^"|"$/g, '')
    .replace(/[\\/]+$/, '')
    .toLowerCase();

/** With `folder` at the end; unchanged when it is there in any spelling. */
export function withFolder(path: string, folder: string): string {
  if (path.split(';').some((entry) => plain(entry) === plain(folder))) return path;
  return path === '' || path.endsWith(';') ? `${path}${folder}` : `${path};${folder}`;
}

export function withoutFolder(path: string, folder: string): string {
  const entries = path.split(';');
  const kept = entries.filter((entry) => plain(entry) !== plain(folder));
  return kept.length === entries.length ? path : kept.join(';');
}
