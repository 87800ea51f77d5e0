/**
 * What no verb ever reaches, whatever a recogniser says. Asked at the moment of each signal, with a table that is not
 * older than a second. A rule here needs no recogniser and knows none.
 */
import { above, type Forest, isOlder, type Node } from './forest.ts';
import { keyOf, type Row } from './known.ts';
import { plainName } from './names.ts';
import type { Observation, ObservedScript } from './observed-script.ts';
import type { System } from './recogniser.ts';

export interface RefusalFacts {
  readonly system: System;
  readonly forest: Forest;
  /** Of the same table. */
  readonly observation: Observation;
  readonly script: ObservedScript;
  /** The process that would signal. */
  readonly self: number;
  /** Whose environment holds UNJAM_RUN, by `keyOf`. */
  readonly ofUnjam: ReadonlySet<string>;
  /** Main processes of services, by pid; empty where the system does not tell. */
  readonly services: ReadonlySet<number>;
}

/** Agents, their helpers, and what a machine cannot be without. By name, so that a mistaken rule cannot reach them. */
const untouchable = new Set([
  // Linux
  'systemd',
  'init',
  'systemd-journal',
  'systemd-logind',
  'systemd-udevd',
  'systemd-network',
  'systemd-resolve',
  'dbus-daemon',
  'dbus-broker',
  'sshd',
  'sshd-session',
  'cron',
  'crond',
  'atd',
  'dockerd',
  'containerd',
  'containerd-shim',
  'kubelet',
  'polkitd',
  'login',
  'agetty',
  'tmux: server',
  'screen',
  // Windows
  'system',
  'registry',
  'memory compressi',
  'smss',
  'csrss',
  'wininit',
  'winlogon',
  'services',
  'lsass',
  'lsaiso',
  'svchost',
  'fontdrvhost',
  'dwm',
  'explorer',
  'sihost',
  'taskhostw',
  'taskeng',
  'conhost',
  'openconsole',
  'wmiprvse',
  'wmiapsrv',
  'wsmprovhost',
  'trustedinstaller',
  'tiworker',
  'msmpeng',
  'dllhost',
  'nssm',
  'nssm64',
  // Agents and carriers
  'tentacle',
  'runner.listener',
  'runner.worker',
  'runnerservice',
  'agent.listener',
  'agent.worker',
  'agentservice',
  'gitlab-runner',
  'amazon-ssm-agent',
  'amazon-ssm-agen',
  'ssm-agent-worker',
  'ssm-agent-worke',
  'ssm-document-worker',
  'ssm-document-wo',
  'ssm-session-worker',
  'ssm-session-wor',
  'ccmexec',
  'agentexecutor',
  'unjam',
]);

const beginsUntouchable = ['calamari', 'codedeploy-agen', 'durable_task_mo'];

/**
 * Why a process is not signalled; null when it may be. `wasAimedAt`: an earlier signal of the same verb, or of the verb
 * before it, was for that process. Cancel may have ended the shell above one that ignores it.
 */
export function refusal(
  target: Row,
  f: RefusalFacts,
  wasAimedAt: (node: Node) => boolean = () => false,
): string | null {
  const { pid } = target.identity;
  const node = f.forest.byPid(pid);
  const general = generalRefusal(target, node, f);
  if (general !== null || node === null) return general;
  if (f.script.roots.some((root) => isUnder(node, root)))
    return f.script.members.some((m) => m.identity.pid === pid) ? null : `PID ${pid} is not a part of the script`;
  if (![node, ...above(node)].some(wasAimedAt)) return `PID ${pid} is not below the script's root`;
  const other = f.observation.scripts.find(
    (s) => s.id !== f.script.id && s.members.some((m) => m.identity.pid === pid),
  );
  return other === undefined ? null : `PID ${pid} is a part of "${other.title}"`;
}

/** As `refusal`, for a process that holds the output of a script open: it may have left the tree long ago. */
export function refusalOfHolder(target: Row, f: RefusalFacts): string | null {
  return generalRefusal(target, f.forest.byPid(target.identity.pid), f);
}

function generalRefusal(target: Row, node: Node | null, f: RefusalFacts): string | null {
  const { pid } = target.identity;
  if (pid <= 1 || (f.system === 'win32' && pid <= 4)) return `PID ${pid} is a part of the system`;
  if (node === null || keyOf(node.row.identity) !== keyOf(target.identity)) return `PID ${pid} has gone`;
  if (f.system === 'linux' && (pid === 2 || [...above(node)].some((n) => n.row.identity.pid === 2)))
    return `PID ${pid} is a thread of the kernel`;
  if (isOfUnjam(node, f)) return `PID ${pid} belongs to Unjam`;
  const name = plainName(target.identity.name);
  if (untouchable.has(name) || beginsUntouchable.some((b) => name.startsWith(b)))
    return `PID ${pid} (${target.identity.name}) is never ended by Unjam`;
  if (f.services.has(pid)) return `PID ${pid} is the process of a service`;
  const { observation } = f;
  const agent = observation.agents.find((a) => a.process.identity.pid === pid);
  if (agent !== undefined) return `PID ${pid} is the agent: ${agent.name}`;
  const carried = observation.scripts.find((s) => s.carriers.some((c) => c.identity.pid === pid));
  if (carried !== undefined) return `PID ${pid} carries the result of "${carried.title}" to its agent`;
  if (isOlder(target, f.script.root)) return `PID ${pid} is older than the script`;
  if (isOfPerson(node, f)) return `PID ${pid} is the terminal session of a person`;
  return null;
}

/** Unjam's host and what it stands on, and everything that Unjam supervises or has started for itself. */
function isOfUnjam(node: Node, f: RefusalFacts): boolean {
  if (node.row.identity.pid === f.self) return true;
  const self = f.forest.byPid(f.self);
  if (self !== null && [...above(self)].includes(node)) return true;
  return f.ofUnjam.has(keyOf(node.row.identity)) || [...above(node)].some((n) => n.row.identity.pid === f.self);
}

function isUnder(node: Node, root: Row): boolean {
  const key = keyOf(root.identity);
  return keyOf(node.row.identity) === key || [...above(node)].some((n) => keyOf(n.row.identity) === key);
}

/** A session leader with a terminal; a carrier of the script may have made one for it (Buildkite). */
function isOfPerson(node: Node, f: RefusalFacts): boolean {
  const { row, parent } = node;
  if (row.terminal !== true || row.session !== row.identity.pid) return false;
  return !f.script.carriers.some((c) => c.identity.pid === parent?.row.identity.pid);
}
