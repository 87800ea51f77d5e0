/** Which agent's job a command was started in, and what that job is called: from its environment alone. */
import { limits } from '../domain/limits.ts';
import { visibleLine } from '../domain/visible.ts';
import { fillIn } from './names.ts';
import type { Recogniser } from './recogniser.ts';
import { recognisers } from './recognisers/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function agentIn(environment: Environment): Recogniser | null {
  return recognisers.find(({ mark }) => mark !== undefined && (environment[mark] ?? '') !== '') ?? null;
}

/** The job's name, harmless to show and short enough for a script; null when its agent does not tell it. */
export function jobName(environment: Environment): string | null {
  for (const { mark, variables = [], titles } of recognisers) {
    if (mark === undefined || (environment[mark] ?? '') === '') continue;
    const fields = Object.fromEntries(variables.map((name) => [name, visibleLine(environment[name] ?? '')]));
    // The last title has no field: it says less than the command does.
    const title = titles.slice(0, -1).flatMap((template) => fillIn(template, fields) ?? [])[0];
    if (title !== undefined)
      return Array.from(title)
        .slice(0, limits.nameMax / 2)
        .join('')
        .trim();
  }
  return null;
}
