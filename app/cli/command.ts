/** What several commands have in common. */
import type { Command } from 'commander';

export const jsonOption = (command: Command): Command => command.option('--json', 'print JSON');

export const example = (command: Command, line: string): Command =>
  command.addHelpText('after', `\nExample:\n  ${line}`);
