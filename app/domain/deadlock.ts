/**
 * Loops over more than one mutex: a script that holds A has started one that waits for B, and the holder of B one that
 * waits for A. (Over one mutex a runner refuses to wait; over several nobody can know it when the wait begins.) Pure.
 */
import type { Hold, MutexState, Waiter } from './mutex.ts';

interface Step {
  readonly hold: Hold;
  readonly holds: string;
  /** What the holder has started, and where that waits. */
  readonly waiter: Waiter;
  readonly waitsFor: string;
}

/** One sentence for each loop that a mutex is part of, by the name of the mutex. */
export function deadlocks(states: readonly MutexState[]): ReadonlyMap<string, readonly string[]> {
  const steps = stepsOf(states);
  const said = new Map<string, string[]>();
  if (steps.length < 2) return said;
  const seen = new Set<string>();
  for (const first of steps) {
    const loop = loopFrom(first, steps);
    if (loop === null) continue;
    const key = loop
      .map(({ hold }) => hold.id)
      .sort()
      .join();
    if (seen.has(key)) continue;
    seen.add(key);
    for (const mutex of new Set(loop.map(({ holds }) => holds)))
      said.set(mutex, [...(said.get(mutex) ?? []), sentence(loop)]);
  }
  return said;
}

function stepsOf(states: readonly MutexState[]): readonly Step[] {
  const holds = new Map(states.flatMap((state) => state.holders.map((hold) => [hold.id, { hold, state }] as const)));
  return states.flatMap((state) =>
    state.queue.flatMap((waiter) =>
      waiter.ancestors.flatMap((id): Step[] => {
        const held = holds.get(id);
        return held === undefined || held.state === state
          ? []
          : [{ hold: held.hold, holds: held.state.name, waiter, waitsFor: state.name }];
      }),
    ),
  );
}

/** The shortest way round that comes back to the hold it began with; null when there is none. */
function loopFrom(first: Step, steps: readonly Step[]): readonly Step[] | null {
  const tried = new Set<Step>([first]);
  let ways: (readonly Step[])[] = [[first]];
  while (ways.length > 0) {
    const longer: (readonly Step[])[] = [];
    for (const way of ways) {
      const last = way.at(-1);
      if (last === undefined) continue;
      if (last !== first && last.waitsFor === first.holds) return way;
      for (const step of steps) {
        if (tried.has(step) || step.holds !== last.waitsFor) continue;
        tried.add(step);
        longer.push([...way, step]);
      }
    }
    ways = longer;
  }
  return null;
}

function sentence(loop: readonly Step[]): string {
  const steps = loop.map(
    ({ hold, holds, waiter, waitsFor }) =>
      `"${hold.name}" holds "${holds}" and has started "${waiter.name}", which waits for "${waitsFor}".`,
  );
  return `${steps.join(' ')} If each waits for what it has started, they wait for each other forever. Ending any one of them resolves it.`;
}
