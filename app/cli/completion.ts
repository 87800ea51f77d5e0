/** `unjam completion`: a script for the person's shell that completes commands and options. */
import type { Command } from 'commander';
import { UnjamError } from '../contract/errors.ts';
import { type CommandText, describe, every, type OptionText } from './describe.ts';
import { print } from './output.ts';

/** @throws UnjamError for a shell that none is made for */
export function completion(shell: string, program: Command): void {
  const shells = { bash, zsh, fish, powershell };
  const make = Object.entries(shells).find(([name]) => name === shell)?.[1];
  if (!make)
    throw new UnjamError(
      'bad-input',
      `There is no completion for "${shell}".`,
      `Use one of ${Object.keys(shells).join(', ')}.`,
      'shell',
    );
  print(make(every(describe(program))));
}

const nameOf = ({ path }: CommandText): string => path.slice(path.lastIndexOf(' ') + 1);
const wordsOf = (command: CommandText): string[] => [
  ...command.commands.map(nameOf),
  ...command.options.flatMap(({ long, short }) => (short === null ? [long] : [long, short])),
  '--help',
];
const valued = (command: CommandText): string[] =>
  command.options.filter((o) => o.takesValue).flatMap(({ long, short }) => (short === null ? [long] : [long, short]));
/** In single quotes, for a POSIX shell and for zsh. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** For bash and zsh: walks what was typed down the commands and sets `choices`; fails after "--" and where a value comes. */
const walk = (commands: readonly CommandText[]): string => `_unjam_choices() {
  local at=unjam before= word valued=
  for word in "\${typed[@]}"; do
    [ "$word" = -- ] && return 1
    case "$at $word" in
      ${commands
        .filter(({ path }) => path.includes(' '))
        .map(({ path }) => quoted(path))
        .join('|')}) at="$at $word" ;;
    esac
    before=$word
  done
  case "$at" in
${commands.map((c) => `    ${quoted(c.path)}) choices=${quoted(wordsOf(c).join(' '))} valued=${quoted(` ${valued(c).join(' ')} `)} ;;`).join('\n')}
  esac
  [ -z "$before" ] || case "$valued" in *" $before "*) return 1 ;; esac
}`;

const bash = (
  commands: readonly CommandText[],
): string => `# bash completion of unjam: source it, or put it into /etc/bash_completion.d
${walk(commands)}
_unjam() {
  local choices= typed=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  COMPREPLY=()
  _unjam_choices && mapfile -t COMPREPLY < <(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _unjam unjam`;

const zsh = (commands: readonly CommandText[]): string => `#compdef unjam
# zsh completion of unjam: put it as _unjam into a folder of $fpath
${walk(commands)}
_unjam() {
  local choices= typed=("\${(@)words[2,CURRENT-1]}")
  if _unjam_choices; then compadd -- \${=choices}; else _files; fi
}
if [ "$funcstack[1]" = _unjam ]; then _unjam "$@"; else compdef _unjam unjam; fi`;

function fish(commands: readonly CommandText[]): string {
  const lines = commands.flatMap((command) => {
    const at = command.path.split(' ').slice(1);
    const condition =
      at.length === 0
        ? '__fish_use_subcommand'
        : `${at.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')}; and not contains -- -- (commandline -opc)`;
    return [
      ...command.commands.map(
        (sub) => `complete -c unjam -n ${quoted(condition)} -a ${nameOf(sub)} -d ${quoted(sub.about)}`,
      ),
      ...command.options.map((o) => `complete -c unjam -n ${quoted(condition)} ${fishOption(o)}`),
    ];
  });
  return ['# fish completion of unjam: put it into ~/.config/fish/completions/unjam.fish', ...lines].join('\n');
}

const fishOption = ({ long, short, takesValue, about }: OptionText): string =>
  `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(about)}`;

function powershell(commands: readonly CommandText[]): string {
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  return `# PowerShell completion of unjam: dot-source it in your profile
Register-ArgumentCompleter -Native -CommandName unjam -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${commands.map((c) => `    ${text(c.path)} = @(${wordsOf(c).map(text).join(', ')})`).join('\n')}
  }
  $path = 'unjam'
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    if ($element.Extent.EndOffset -ge $cursorPosition) { break }
    if ("$element" -eq '--') { return }
    if ($words.ContainsKey("$path $element")) { $path = "$path $element" }
  }
  $words[$path] | Where-Object { $_ -like "$wordToComplete*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}`;
}
