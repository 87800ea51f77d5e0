/** What a search looks for in a line: text as it is written, or a regular expression. */
import { UnjamError } from '../contract/errors.ts';

export interface Pattern {
  readonly text: string;
  readonly regex?: boolean | undefined;
  readonly ignoreCase?: boolean | undefined;
}

/** Colours and cursor movements are not part of what a person reads; none of them crosses a line. */
// eslint-disable-next-line no-control-regex -- escape sequences start with a control character
const escapes = /\u001b\[[0-?]*[ -/]*[@-~]/g;
export const withoutEscapes = (text: string): string => (text.includes('\u001b') ? text.replace(escapes, '') : text);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** @throws UnjamError `bad-input` when it is no regular expression. */
export function compile(pattern: Pattern): RegExp {
  try {
    return new RegExp(pattern.regex ? pattern.text : escaped(pattern.text), pattern.ignoreCase ? 'gi' : 'g');
  } catch (error) {
    throw new UnjamError(
      'bad-input',
      `This is not a regular expression: ${error instanceof Error ? error.message : String(error)}.`,
      'Correct it, or search for the text as it is written.',
      'text',
    );
  }
}
