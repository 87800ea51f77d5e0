/**
 * From a table of processes to the scripts that agents run: pure. What it does not know yet it wants; whoever calls
 * answers and calls again. A process belongs to the innermost run; nothing of Unjam's own is ever a member.
 */
import { observedId } from '../domain/observed-id.ts';
import { redact } from '../domain/redact.ts';
import { Asking } from './asking.ts';
import { above, below, Forest, type Node } from './forest.ts';
import type { Known } from './known.ts';
import { fillIn, fitsName } from './names.ts';
import type { Observation, ObservedLog, ObservedScript, RecognisedAgent } from './observed-script.ts';
import type { Recogniser } from './recogniser.ts';
import { agentsOf, looseOf, type Run, runsOf } from './runs.ts';
import { isolationIn, tentacleQueue } from './tentacle-queue.ts';

export function observe(
  known: Known,
  recognisers: readonly Recogniser[],
  forest: Forest = new Forest(known.table),
): Observation {
  const ask = new Asking(known, recognisers);
  const usable = recognisers.filter((r) => r.systems.includes(known.system));
  const agents = new Map<Node, Recogniser>();
  const runs: Run[] = [];
  for (const recogniser of usable) {
    const own = agentsOf(recogniser, forest, ask);
    for (const node of own) if (!agents.has(node)) agents.set(node, recogniser);
    runs.push(...runsOf(recogniser, own, forest, ask));
  }
  const roots = new Map<Node, Run>();
  for (const run of runs) for (const root of run.roots) if (!roots.has(root)) roots.set(root, run);
  const kept = runs.filter((run) => run.roots.every((root) => roots.get(root) === run && !agents.has(root)));
  const bounds: Bounds = { isAgent: (n) => agents.has(n), runOf: (n) => roots.get(n) ?? null, self: known.self };
  const recognised = new Map<Node, RecognisedAgent>();
  for (const [node, { key, name }] of agents)
    if (node.parent === null || agents.get(node.parent)?.key !== key)
      recognised.set(node, { key, name, process: node.row, unit: known.system === 'linux' ? ask.unit(node) : null });
  const inside = new Set<Node>();
  const scripts = kept.flatMap((run) => {
    const script = scriptOf(run, bounds, recognised, ask);
    for (const node of script.seen) inside.add(node);
    return script.script ?? [];
  });
  const loose = usable.flatMap((recogniser) => looseOf(recogniser, forest, inside, agents, ask));
  for (const run of loose) if (!roots.has(run.roots[0]!)) roots.set(run.roots[0]!, run);
  for (const run of loose)
    if (roots.get(run.roots[0]!) === run) scripts.push(...[scriptOf(run, bounds, recognised, ask).script ?? []].flat());
  scripts.sort((a, b) => a.root.identity.pid - b.root.identity.pid);
  const byTentacle = usable.some((r) => r.queue === 'tentacle');
  return {
    agents: [...recognised.values()],
    scripts,
    queued: byTentacle ? tentacleQueue(ask, scripts, [...recognised.values()]) : [],
    wants: ask.wants,
  };
}

interface Bounds {
  readonly isAgent: (node: Node) => boolean;
  readonly runOf: (node: Node) => Run | null;
  readonly self: number;
}

function scriptOf(
  run: Run,
  bounds: Bounds,
  agents: ReadonlyMap<Node, RecognisedAgent>,
  ask: Asking,
): { script: ObservedScript | null; seen: readonly Node[] } {
  const { recogniser: r, fields } = run;
  let inner = false;
  const enter = (child: Node): boolean => {
    const other = bounds.runOf(child);
    const out = bounds.isAgent(child) || (other !== null && other !== run);
    inner ||= out;
    return !out && child.row.identity.pid !== bounds.self;
  };
  const subtree = [...new Set(run.roots.flatMap((root) => below(root, enter)))];
  const within = new Set(subtree);
  const carrying = new Set(run.loose ? [] : subtree.filter((n) => isCarrier(r, n, within, fields, ask)));
  const spared = new Set(carrying);
  for (const c of carrying) for (const up of above(c)) if (within.has(up)) spared.add(up);
  const tops = carrying.size === 0 ? [...run.roots] : topsOf(r, subtree, carrying, spared, fields, ask);
  const supervised: { runId: string; ticket: string | null }[] = [];
  const members: Node[] = [];
  let hidden = false;
  for (const top of tops)
    members.push(
      ...below(top, (n) => within.has(n) && !spared.has(n)).filter((n) => !isConsoleServer(n) && !members.includes(n)),
    );
  const own = new Set<Node>();
  for (const node of members) {
    const variables = ask.variables(node.row.identity);
    if (variables === null) hidden = true;
    const runId = variables?.['UNJAM_RUN'];
    if (runId !== undefined) {
      own.add(node);
      if (runId !== 'none')
        supervised.push({ runId: runId.split('/').at(-1) ?? runId, ticket: variables?.['UNJAM_TICKET'] ?? null });
    } else if (node.parent !== null && own.has(node.parent)) own.add(node);
  }
  const left = members.filter((n) => !own.has(n));
  readVariables(run, [...spared, ...left], ask);
  const root = run.roots[0]!;
  const seen = subtree;
  // A shell of ssh or cron in which an agent of its own kind runs is that agent's.
  if (left.length === 0 && inner && supervised.length === 0) return { script: null, seen };
  for (const top of tops) if (r.script !== undefined) Object.assign(fields, ask.fits(r.script, top));
  const log = logOf(r, fields, ask);
  const head = log?.file?.head ?? null;
  if (log?.form === 'tentacle' && head !== null) Object.assign(fields, isolationIn(head));
  const user = ask.user((left[0] ?? root).row.identity);
  if (user !== null) fields['user'] ??= user;
  return {
    seen,
    script: {
      id: observedId(root.row.identity),
      recogniser: r,
      agent: agentOf(run, agents),
      root: root.row,
      roots: run.roots.map((n) => n.row),
      carriers: subtree.filter((n) => spared.has(n)).map((n) => n.row),
      members: left.map((n) => n.row),
      title: titleOf(r, fields),
      fields,
      user,
      mutex: fields['mutex'] ?? null,
      isolation: fields['level'] === undefined ? null : fields['level'] === 'NoIsolation' ? 'none' : 'full',
      log,
      leftBehind: leftBehindOf(run, carrying.size, left, ask),
      supervised,
      hidden,
    },
  };
}

function agentOf({ agent }: Run, agents: ReadonlyMap<Node, RecognisedAgent>): RecognisedAgent | null {
  for (let node = agent; node !== null; node = node.parent) {
    const found = agents.get(node);
    if (found !== undefined) return found;
  }
  return null;
}

const isConsoleServer = (n: Node): boolean => n.plain === 'conhost' || n.plain === 'openconsole';

function isCarrier(
  r: Recogniser,
  node: Node,
  within: ReadonlySet<Node>,
  fields: Record<string, string>,
  ask: Asking,
): boolean {
  for (const rule of r.carriers ?? []) {
    const found = ask.fits(rule, node);
    if (found === null) continue;
    for (const [name, value] of Object.entries(found)) fields[name] ??= value;
    if (rule.whileItWaits === true && !node.children.some((c) => within.has(c) && !isConsoleServer(c))) continue;
    return true;
  }
  return false;
}

/** What stands directly below a carrier and is none; where the script is described, the first below that fits it. */
function topsOf(
  r: Recogniser,
  subtree: readonly Node[],
  carrying: ReadonlySet<Node>,
  spared: ReadonlySet<Node>,
  fields: Record<string, string>,
  ask: Asking,
): Node[] {
  const within = new Set(subtree);
  const tops: Node[] = [];
  const open = subtree.filter((n) => n.parent !== null && carrying.has(n.parent) && !spared.has(n));
  for (const node of open) {
    if (r.script === undefined) {
      tops.push(node);
      continue;
    }
    const found = ask.fits(r.script, node);
    if (found !== null) {
      for (const [name, value] of Object.entries(found)) fields[name] ??= value;
      tops.push(node);
    } else open.push(...node.children.filter((c) => within.has(c) && !spared.has(c)));
  }
  // A script whose own carrier has gone beside one that still lives (Jenkins' heartbeat).
  for (const node of subtree)
    if (r.script !== undefined && node.parent !== null && !within.has(node.parent) && !spared.has(node))
      if (ask.fits(r.script, node) !== null && !tops.includes(node)) tops.push(node);
  // A script that has replaced itself (exec) does not look like one any more; it is still its carrier's own child.
  if (r.script !== undefined && tops.length === 0)
    for (const node of subtree) {
      const { parent } = node;
      const isOfRoot =
        parent !== null && carrying.has(parent) && (parent.parent === null || !within.has(parent.parent));
      if (isOfRoot && !spared.has(node) && !fitsName(helpers, node.plain) && !excepted(r, node)) tops.push(node);
    }
  return tops;
}

/** What carriers start for themselves: to copy, to report, to mail. */
const helpers = ['cp', 'mv', 'touch', 'cat', 'sendmail', 'exim4'];
const excepted = (r: Recogniser, node: Node): boolean =>
  r.script?.except !== undefined && fitsName(r.script.except, node.plain);

/** The first process that has a variable gives it: of some agents only what the script has started has it. */
function readVariables(run: Run, nodes: readonly Node[], ask: Asking): void {
  const names = run.recogniser.variables ?? [];
  if (names.length === 0) return;
  for (const node of nodes.slice(0, 16)) {
    const variables = ask.variables(node.row.identity);
    for (const name of names) {
      const value = variables?.[name];
      if (value !== undefined && value !== '') run.fields[name] ??= value;
    }
    if (names.every((name) => run.fields[name] !== undefined)) return;
  }
}

const titleMax = 120;

function titleOf(r: Recogniser, fields: Readonly<Record<string, string>>): string {
  const text = r.titles.map((t) => fillIn(t, fields)).find((t) => t !== null) ?? r.name;
  const clean = redact(text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' '));
  return clean.length > titleMax ? `${clean.slice(0, titleMax - 1)}…` : clean;
}

function logOf(r: Recogniser, fields: Readonly<Record<string, string>>, ask: Asking): ObservedLog | null {
  const rule = r.log;
  if (rule === undefined) return null;
  const of = (path: string): ObservedLog | null => {
    const file = ask.file(path, rule.form === 'tentacle');
    if (file === undefined || file === null) return null;
    return { path, form: rule.form, maskedBy: rule.maskedBy, file: file === 'unreadable' ? null : file };
  };
  for (const template of rule.paths ?? []) {
    const path = fillIn(template, fields);
    const log = path === null ? null : of(path);
    if (log !== null) return log;
  }
  const folder = rule.newestIn === undefined ? null : fillIn(rule.newestIn, fields);
  if (folder === null) return null;
  let newest: ObservedLog | null = null;
  for (const entry of (ask.folder(folder) ?? []).slice(-64)) {
    const log = of(`${folder}/${entry}`);
    if (log?.file != null && log.file.changedAt > (newest?.file?.changedAt ?? -1)) newest = log;
  }
  return newest;
}

function leftBehindOf(run: Run, carriers: number, members: readonly Node[], ask: Asking): string | null {
  const { recogniser: r, fields } = run;
  if (members.length === 0) return null;
  if (run.loose) return `No process of ${r.name} waits for it any more.`;
  const control = r.givenUpWithout === undefined ? null : fillIn(r.givenUpWithout, fields);
  if (control !== null && ask.file(control) === null) return `${r.name} has removed its folder for this run.`;
  if (
    carriers === 0 &&
    run.agent === null &&
    r.leftBehind !== undefined &&
    ask.fits(r.leftBehind, run.roots[0]!) !== null
  )
    return `No process of ${r.name} waits for it any more.`;
  return null;
}
