/** What an entry of the journal carries besides its sentence, as terms and values for people. Pure. */
import { fullTime } from '../words/times.ts';
import { visible } from '../words/visible.ts';

export type Fact = readonly [term: string, value: string];

export function factsOf(data: unknown): readonly Fact[] {
  if (data === null || data === undefined) return [];
  if (!isObject(data)) return [['Data', valueOf(data)]];
  return Object.entries(data)
    .map(([key, value]): Fact => [termOf(key), valueOf(value)])
    .filter(([, value]) => value !== '');
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const termOf = (key: string): string => visible(key.charAt(0).toUpperCase() + key.slice(1));

function valueOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(valueOf).join('\n');
  if (isObject(value)) return identity(value) ?? visibleLines(JSON.stringify(value, null, 1));
  return String(value);
}

/** "PID 20629 (bash), started 20 Nov 2026, 11:50:55.166 (+01:00)" */
function identity(value: Readonly<Record<string, unknown>>): string | null {
  const { pid, name, startedAt } = value;
  if (typeof pid !== 'number' || typeof name !== 'string') return null;
  const since = typeof startedAt === 'number' ? new Date(startedAt).toISOString() : startedAt;
  return `PID ${pid} (${visible(name)})${typeof since === 'string' ? `, started ${fullTime(since)}` : ''}`;
}

const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');
