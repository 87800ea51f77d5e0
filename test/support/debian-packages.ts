/** Debian's packages beside the system: downloaded with an apt configuration of their own, and unpacked. Needs no root. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface Unpacking {
  /** Name of a Debian release. */
  readonly suite: string;
  readonly architecture: string;
  /** An existing folder for what is only needed meanwhile. */
  readonly work: string;
  /** Becomes the root of their files. */
  readonly tree: string;
}

/** Needs apt-get and dpkg-deb; throws when the packages cannot be had. */
export async function unpackDebian(packages: readonly string[], to: Unpacking): Promise<void> {
  const debs = await download(packages, to);
  await Promise.all(debs.map((deb) => run('dpkg-deb', ['-x', deb, to.tree])));
}

/** An apt of its own: nothing of the system's lists, cache or package state is read or changed. */
async function download(packages: readonly string[], { suite, architecture, work }: Unpacking): Promise<string[]> {
  const debs = join(work, 'debs');
  for (const folder of ['debs', 'lists/partial', 'cache/archives/partial'])
    await mkdir(join(work, folder), { recursive: true });
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'sources.list'), `${await debianSource(suite)}\n`);
  const configuration = join(work, 'apt.conf');
  await writeFile(
    configuration,
    [
      `Dir::Etc::sourcelist "${work}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State::lists "${work}/lists";`,
      `Dir::State::status "${work}/status";`,
      `Dir::Cache "${work}/cache";`,
      `APT::Architecture "${architecture}";`,
      `APT::Architectures { "${architecture}"; };`,
      'Acquire::Languages "none";',
      'APT::Sandbox::User "";',
    ].join('\n'),
  );
  const options = { cwd: debs, env: { ...process.env, APT_CONFIG: configuration } };
  await run('apt-get', ['update', '-q'], options);
  await run('apt-get', ['download', '-q', ...packages], options);
  return (await readdir(debs)).map((name) => join(debs, name));
}

/** The machine's own Debian source, with the suite exchanged. */
async function debianSource(suite: string): Promise<string> {
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  for (const line of stdout.split('\n')) {
    const [uri, release, component] = line.split('|');
    if (release === codename && component === 'main' && uri?.includes('debian'))
      return `deb ${existsSync(keyring) ? `[signed-by=${keyring}] ` : ''}${uri} ${suite} main`;
  }
  throw new Error('apt has no Debian source on this machine');
}
