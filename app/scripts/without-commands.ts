/** What leaves the host of its scripts holds no arguments: a script that was given no name is called by its command. */
import { basename } from 'node:path';
import type { ScriptView } from '../contract/methods.ts';
import { redactWords } from '../domain/redact.ts';

const nameMax = 80;

/** Of a script that was given none. */
export const nameOfCommand = ([command = '', ...words]: readonly string[]): string =>
  redactWords([basename(command), ...words])
    .join(' ')
    .slice(0, nameMax);

/** `commandOf` is asked for each of these scripts; a holder that is none of them has its ticket for a name. */
export function withoutCommands(
  scripts: readonly ScriptView[],
  commandOf: (ticket: string) => readonly string[],
): ScriptView[] {
  const commands = new Map(scripts.map(({ ticket }) => [ticket, commandOf(ticket)]));
  const nameOf = ({ ticket, name }: { readonly ticket: string; readonly name: string }): string => {
    const command = commands.get(ticket);
    if (command === undefined) return ticket;
    return name === nameOfCommand(command) ? basename(command[0] ?? '') : name;
  };
  return scripts.map((script) => {
    const { holder, condition } = script;
    const named = { ...script, name: nameOf(script) };
    if (holder === null) return named;
    const name = nameOf(holder);
    const headline = condition.headline.replaceAll(`"${holder.name}"`, () => `"${name}"`);
    return { ...named, holder: { ...holder, name }, condition: { ...condition, headline } };
  });
}
