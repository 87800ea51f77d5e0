/** Clean text for the clipboard: no times, no marks, no colours; what overwrote itself is there in its last state. Pure. */
import { lastState, pieces } from './ansi.ts';
import type { LogRow } from './rows.ts';

export function copyableText(rows: readonly LogRow[]): string {
  return rows
    .flatMap((row) => {
      if (row.kind === 'gap') return [];
      const { entry } = row;
      const text = pieces(lastState(entry.text).text)
        .map((piece) => piece.text)
        .join('');
      return [entry.stream === 'unjam' ? `Unjam ${entry.code ?? ''} ${text}` : text];
    })
    .join('\n');
}
