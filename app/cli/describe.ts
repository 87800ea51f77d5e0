/** What the program says of its commands, as data: the reference, the man page and the completions are made of it. */
import type { Command } from 'commander';

export interface CommandText {
  /** `unjam locks resume`. */
  readonly path: string;
  readonly about: string;
  readonly usage: string;
  readonly options: readonly OptionText[];
  /** A line that works as it stands; null when there is none. */
  readonly example: string | null;
  readonly commands: readonly CommandText[];
}

export interface OptionText {
  readonly flags: string;
  readonly long: string;
  readonly short: string | null;
  readonly takesValue: boolean;
  readonly about: string;
}

export function describe(command: Command, path = command.name()): CommandText {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  command.configureOutput({ writeOut: (part) => process.stdout.write(part) });
  const help = command.createHelp();
  return {
    path,
    about: command.description(),
    usage: help.commandUsage(command).replace(/^unjam unjam /, 'unjam '),
    options: help
      .visibleOptions(command)
      .filter(({ long }) => long !== undefined && long !== '--help')
      .map((option) => ({
        flags: option.flags,
        long: option.long ?? '',
        short: option.short ?? null,
        takesValue: option.required || option.optional,
        about: option.description,
      })),
    example: /Example:\n {2}(.*)/.exec(text)?.[1] ?? null,
    commands: command.commands.map((sub) => describe(sub, `${path} ${sub.name()}`)),
  };
}

/** The command and all below it, in order. */
export const every = (command: CommandText): CommandText[] => [command, ...command.commands.flatMap(every)];
