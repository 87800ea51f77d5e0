/** Machines as data: a forest of processes, what they would answer, and the files of their agents. */
import type { FileKnown, Known, ProcessAnswers, Row, Want } from '../../app/agents/known.ts';
import { keyOf } from '../../app/agents/known.ts';
import { observe } from '../../app/agents/observe.ts';
import type { Observation } from '../../app/agents/observed-script.ts';
import type { Recogniser, System } from '../../app/agents/recogniser.ts';
import { recognisers } from '../../app/agents/recognisers/index.ts';

export interface Process {
  readonly name: string;
  readonly words: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly unit?: string;
  readonly user?: string;
  readonly below?: readonly Process[];
  /** Started so many ticks later than the process before it in the forest. */
  readonly later?: number;
}

export interface Machine {
  readonly system: System;
  readonly forest: readonly Process[];
  readonly files?: Readonly<
    Record<string, { readonly text?: string; readonly bytes?: number; readonly changedAt?: number }>
  >;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  /** As a user who may not read environments. */
  readonly blind?: boolean;
}

const now = Date.UTC(2026, 0, 15, 3, 0);

/** Pids count from 1000 in the order of the forest; the first process of Linux is pid 1. */
export function tableOf(machine: Machine): { rows: Row[]; answers: Record<string, ProcessAnswers> } {
  const rows: Row[] = [];
  const answers: Record<string, ProcessAnswers> = {};
  let pid = 1_000;
  let tick = 5_000;
  const add = (p: Process, parentPid: number): void => {
    const own = p.name === 'systemd' && parentPid === 0 ? 1 : (pid += 1);
    tick += 10 + (p.later ?? 0);
    const identity = {
      machine: 'build-07',
      bootId: 'boot',
      pidNamespace: 'host',
      pid: own,
      startTime: String(tick),
      startedAt: now - 600_000 + tick,
      name: machine.system === 'linux' ? p.name.slice(0, 15) : p.name,
    };
    rows.push({ identity, parentPid, session: own, cpuMs: 40, state: 'sleeping' });
    answers[keyOf(identity)] = {
      words: machine.system === 'linux' ? inLines(p.words) : p.words,
      variables: machine.blind === true ? null : (p.environment ?? {}),
      unit: p.unit ?? null,
      user: p.user ?? 'deploy',
    };
    for (const child of p.below ?? []) add(child, own);
  };
  for (const p of machine.forest) add(p, p.name === 'systemd' ? 0 : 1);
  return { rows, answers };
}

/** As Linux keeps it: argument by argument. What follows `-c` is one. */
function inLines(words: string): string {
  const at = words.search(/ -c /);
  return at < 0
    ? words.replaceAll(' ', '\n')
    : `${words.slice(0, at + 3).replaceAll(' ', '\n')}\n${words.slice(at + 4)}`;
}

/** Answers what the middle wants until it wants nothing more. Environments give only the names that were asked for. */
export function look(machine: Machine, rules: readonly Recogniser[] = recognisers): Observation & { rounds: number } {
  const { rows, answers } = tableOf(machine);
  return lookAt(machine, rows, answers, rules);
}

export function lookAt(
  machine: Machine,
  table: readonly Row[],
  answers: Readonly<Record<string, ProcessAnswers>>,
  rules: readonly Recogniser[] = recognisers,
): Observation & { rounds: number } {
  const processes: Record<string, ProcessAnswers> = {};
  const files: Record<string, FileKnown> = {};
  const folders: Record<string, readonly string[] | null> = {};
  for (let rounds = 1; ; rounds += 1) {
    const known: Known = { now, system: machine.system, self: 999_999, table, processes, files, folders };
    const observation = observe(known, rules);
    if (observation.wants.length === 0) return { ...observation, rounds };
    if (rounds > 8) throw new Error(`It still wants ${JSON.stringify(observation.wants[0])}.`);
    for (const want of observation.wants) answer(want, machine, answers, processes, files, folders);
  }
}

function answer(
  want: Want,
  machine: Machine,
  answers: Readonly<Record<string, ProcessAnswers>>,
  processes: Record<string, ProcessAnswers>,
  files: Record<string, FileKnown>,
  folders: Record<string, readonly string[] | null>,
): void {
  if (want.kind === 'folder') {
    folders[want.path] = machine.folders?.[want.path] ?? null;
    return;
  }
  if (want.kind === 'file') {
    const file = machine.files?.[want.path] ?? (machine.folders?.[want.path] ? {} : undefined);
    files[want.path] =
      file === undefined
        ? null
        : {
            bytes: file.bytes ?? file.text?.length ?? 0,
            changedAt: file.changedAt ?? now - 60_000,
            head: want.head ? (file.text ?? '') : null,
          };
    return;
  }
  const key = keyOf(want.of);
  const known = answers[key] ?? {};
  const all = known.variables;
  processes[key] = {
    ...processes[key],
    ...(want.kind === 'variables'
      ? {
          variables:
            all == null ? null : Object.fromEntries(Object.entries(all).filter(([name]) => want.names.includes(name))),
        }
      : { [want.kind]: known[want.kind] ?? null }),
  };
}
