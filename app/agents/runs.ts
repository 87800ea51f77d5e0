/** Which processes are agents, and where the run of an agent begins. */
import type { Asking } from './asking.ts';
import { above, type Forest, isOlder, type Node } from './forest.ts';
import { keyOf } from './known.ts';
import type { Recogniser } from './recogniser.ts';

export interface Run {
  readonly recogniser: Recogniser;
  readonly roots: readonly Node[];
  readonly agent: Node | null;
  readonly fields: Record<string, string>;
  /** Found without its carrier. */
  readonly loose: boolean;
}

/** One that is a run of its own (cron's forks, a session of sshd) is no agent. */
export function agentsOf(r: Recogniser, forest: Forest, ask: Asking): Node[] {
  const { agent } = r;
  if (agent === undefined) return [];
  const fitting = new Set(forest.named(agent).filter((n) => n.row.identity.pid !== 0 && ask.fits(agent, n) !== null));
  const isFirst = (n: Node): boolean => n.parent === null || !fitting.has(n.parent);
  return [...fitting].filter((n) => ask.fits(r.run, n) === null || (r.run.place === 'child' && isFirst(n)));
}

export function runsOf(r: Recogniser, agents: readonly Node[], forest: Forest, ask: Asking): Run[] {
  const found: { root: Node; agent: Node | null; fields: Readonly<Record<string, string>> }[] = [];
  const isAgent = new Set(agents);
  const take = (root: Node, agent: Node | null): boolean => {
    const fields = ask.fits(r.run, root);
    if (fields === null || isAgent.has(root)) return false;
    const { under } = r.run;
    if (under !== undefined && ![...above(root)].some((up) => ask.fits(under, up) !== null)) return false;
    const unit = r.run.oneshotUnit === true ? oneshotUnitOf(root, ask) : {};
    if (unit === null) return false;
    found.push({ root, agent, fields: { ...fields, ...unit } });
    return true;
  };
  if (r.run.place === 'anywhere') {
    const fitting = forest.named(r.run).filter((n) => ask.fits(r.run, n) !== null);
    const all = new Set(fitting);
    for (const node of fitting) {
      let agent: Node | null = null;
      let topmost = true;
      for (const up of above(node)) {
        if (all.has(up) && !isAgent.has(up)) topmost = false;
        if (agent === null && isAgent.has(up)) agent = up;
      }
      if (topmost) take(node, agent);
    }
  } else
    for (const agent of agents) {
      if (r.run.place === 'child') {
        for (const child of agent.children) take(child, agent);
        continue;
      }
      const open = [...agent.children];
      for (let node = open.pop(); node !== undefined; node = open.pop())
        if (!isAgent.has(node) && !take(node, agent)) open.push(...node.children);
    }
  const by = r.run.together;
  if (by === undefined)
    return found.map((f) => ({
      recogniser: r,
      roots: [f.root],
      agent: f.agent,
      fields: { ...f.fields },
      loose: false,
    }));
  const groups = Map.groupBy(found, (f) => f.fields[by] ?? keyOf(f.root.row.identity));
  return [...groups.values()].map((group) => ({
    recogniser: r,
    roots: group.map((f) => f.root).sort((a, b) => (isOlder(a.row, b.row) ? -1 : 1)),
    agent: group.find((f) => f.agent !== null)?.agent ?? null,
    fields: Object.assign({}, ...group.map((f) => f.fields)) as Record<string, string>,
    loose: false,
  }));
}

const unitFolders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/** A service that runs to its end is a script; one that stays is not. */
function oneshotUnitOf(node: Node, ask: Asking): Record<string, string> | null {
  const unit = ask.unit(node);
  if (unit === null || !unit.endsWith('.service')) return null;
  const template = unit.replace(/@[^@]*\.service$/, '@.service');
  const names = unit === template ? [unit] : [unit, template];
  const files = unitFolders.flatMap((folder) => names.map((name) => ask.file(`${folder}/${name}`, true)));
  const file = files.find((f) => f !== undefined && f !== null && f !== 'unreadable' && f.head !== null);
  if (typeof file !== 'object' || files.includes(undefined)) return null;
  return /^\s*Type\s*=\s*oneshot\s*$/m.test(file?.head ?? '') ? { unit } : null;
}

/** Scripts that no run contains: their carrier has gone. */
export function looseOf(
  r: Recogniser,
  forest: Forest,
  inside: ReadonlySet<Node>,
  agents: ReadonlyMap<Node, Recogniser>,
  ask: Asking,
): Run[] {
  const { leftBehind } = r;
  if (leftBehind === undefined || r.run.together !== undefined) return [];
  const fitting = forest
    .named(leftBehind)
    .filter((n) => !inside.has(n) && !agents.has(n) && ask.fits(leftBehind, n) !== null);
  const all = new Set(fitting);
  return fitting.flatMap((node) => {
    if ([...above(node)].some((up) => all.has(up) || inside.has(up))) return [];
    const variables = ask.variables(node.row.identity);
    if (leftBehind.variable !== undefined && variables?.[leftBehind.variable] === undefined) return [];
    return [{ recogniser: r, roots: [node], agent: null, fields: { ...ask.fits(leftBehind, node) }, loose: true }];
  });
}
