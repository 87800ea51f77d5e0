/**
 * The host's log, twice in the state directory: `host.log` for people, `host.jsonl` with the same lines for programs.
 * Each line is opened, written and closed at once: the last one before a crash is there, several processes may
 * write, and whoever removes or moves a file gets a new one.
 */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { getJsonLinesFormatter } from '@logtape/logtape';
import { codeAndLevel, type HostLog, type LineFacts } from '../domain/host-log.ts';
import { redact } from '../domain/redact.ts';
import { escapeUnsafe, visible } from '../domain/visible.ts';

/** A larger file becomes `….1`, in place of the one before it. */
const maxBytes = 2_097_152;

const format = getJsonLinesFormatter({ properties: 'flatten', lineEnding: 'lf' });

/**
 * Both files. A log that cannot be written is not an error; `elsewhere` gets what `host.log` does not take.
 */
export function openHostLog(folder: string, elsewhere: (text: string) => void = () => undefined): HostLog {
  const asJson = jsonLog(folder);
  return (line, facts) => {
    const at = Date.now();
    const text = humanLine(line, at);
    if (!append(join(folder, 'host.log'), text)) elsewhere(text);
    asJson(line, facts, at);
  };
}

/** `host.jsonl` alone. */
export function jsonLog(folder: string): (line: string, facts?: LineFacts, at?: number) => void {
  const file = join(folder, 'host.jsonl');
  return (line, facts, at = Date.now()) => void append(file, jsonLine(line, facts, at));
}

/** `at`: wall-clock ms. */
export const humanLine = (line: string, at: number): string =>
  `${new Date(at).toISOString()} ${redact(line).split('\n').map(visible).join(' | ')}\n`;

function jsonLine(line: string, facts: LineFacts = {}, at: number): string {
  const { code, level, text } = codeAndLevel(redact(line));
  const { ticket, name, mutex, pids = [] } = facts;
  const properties: Record<string, unknown> = {};
  for (const [key, value] of Object.entries({ code, ticket, name, mutex }))
    if (typeof value === 'string') properties[key] = redact(value);
  if (pids.length > 0) properties['pids'] = pids;
  const json = format({
    category: ['host'],
    level,
    timestamp: at,
    message: [text],
    rawMessage: text,
    properties,
  });
  return `${escapeUnsafe(json.trimEnd())}\n`;
}

function append(file: string, text: string): boolean {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) setAside(file);
    appendFileSync(file, text, { mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

/** On Windows not while the starter's redirection has it open; then the file grows. */
function setAside(file: string): void {
  try {
    renameSync(file, `${file}.1`);
  } catch {
    // The line matters more.
  }
}
