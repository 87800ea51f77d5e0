import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sentencesOf, wordingPage } from '../../assets/print-wording.ts';

describe('docs/wording.md', () => {
  test('has every sentence of the program as it is: "npm run wording" prints it', () => {
    expect(readFileSync(join(import.meta.dirname, '../../docs/wording.md'), 'utf8')).toBe(wordingPage());
  });

  test('shows values as names, choices in brackets, and the code of a line', () => {
    const source = `export const f = (a: string, n: number) =>
      line('W001', \`Held by \${a === '' ? 'nobody' : \`"\${quoted(a)}"\`}.\`, count(n, 'script'), n > 1 ? 'Wait.' : null);
      const select = 'SELECT one FROM another'; run('too' + ' late, ' + a);`;
    expect(sentencesOf('a.ts', source)).toEqual([
      { code: 'W001', text: 'Held by [nobody / "{a}"]. {n} script(s) [Wait. / -]' },
      { code: '', text: 'too late, {a}' },
    ]);
  });

  test('reads a component as a person does: with what stands in line, and what an attribute says', () => {
    const source = `<script lang="ts">const why = 'It has gone.';</script>
      <p title="For {name} alone">It is <strong>{n}</strong>{#if late} min late{/if}. <Icon name="a b" /></p>`;
    expect(sentencesOf('a.svelte', source)).toEqual([
      { code: '', text: 'It has gone.' },
      { code: '', text: 'For {name} alone' },
      { code: '', text: 'It is {n}[ min late / -].' },
    ]);
  });
});
