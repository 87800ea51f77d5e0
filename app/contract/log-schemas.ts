/** The shapes of a script's log: read as bytes, shown by lines, searched. */
import { z } from 'zod';
import { Ticket, Time } from './schemas.ts';

const logStreams = ['stdout', 'stderr', 'unjam'] as const;
export const LogEntry = z.strictObject({
  /** Position in the merged log; give the last entry's `next` as `from` to go on. */
  seq: z.int(),
  next: z.int(),
  stream: z.enum(logStreams),
  at: Time.nullable().describe('when Unjam saw it, to about 50 ms'),
  code: z.string().nullable(),
  text: z
    .string()
    .describe('decoded; one or more whole lines with their line feeds, except for a last line that is not finished'),
  base64: z.string().optional().describe('the bytes as they were, when asked for with raw; text is empty then'),
});
export const LogReadInput = z.strictObject({
  ticket: Ticket,
  from: z.int().min(0).optional().describe('sequence number; absent = the start'),
  tailBytes: z.int().min(1).max(4_194_304).optional().describe('only the last so many bytes'),
  maxBytes: z.int().min(1).max(4_194_304).optional(),
  stream: z.enum(logStreams).optional(),
  raw: z.boolean().optional().describe('bytes as base64 instead of text'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe('hold the answer until there is something new, or the script is final'),
});
export const LogPage = z.strictObject({
  entries: z.array(LogEntry),
  next: z.int(),
  size: z.int(),
  /** True when the script is final, its tree is gone and this page reached the end. */
  complete: z.boolean(),
});

const pattern = {
  text: z.string().min(1).max(1000),
  regex: z.boolean().optional().describe('text is a regular expression as in JavaScript, for one line at a time'),
  ignoreCase: z.boolean().optional(),
};
const LogStreams = z.array(z.enum(logStreams)).min(1).optional().describe('only lines of these; absent = all');
const LineNumber = z.int().min(1).describe('from 1, in the merged log; stays the same while the log grows');

export const LogLinesInput = z.strictObject({
  ticket: Ticket,
  from: z
    .int()
    .min(0)
    .optional()
    .describe('place of the first line among those that are wanted, from 0; absent = the last ones'),
  count: z.int().min(1).max(2000),
  streams: LogStreams,
  matching: z.strictObject(pattern).optional().describe('only lines with a hit'),
  after: z.int().min(0).optional().describe('hold the answer until the log is longer than so many bytes'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe('how long to hold it; without "after": how long to wait for numbers'),
});
export const LogLine = z.strictObject({
  number: LineNumber.nullable().describe('null while the lines before it are still being counted'),
  seq: z.int(),
  stream: z.enum(logStreams),
  at: Time.nullable(),
  sinceMs: z.int().nullable().describe('since what came before it in the log'),
  code: z.string().nullable(),
  text: z.string().describe('without its line feed; the first 10,000 characters'),
  bytes: z.int().describe('how long the whole line is'),
  cut: z.boolean().describe('text is not all of it; logs.line has the rest'),
  finished: z.boolean().describe('false: it has no line feed, and the last one may still grow'),
});
export const LogLines = z.strictObject({
  lines: z.array(LogLine).describe('as many as were asked for, or fewer when they are long'),
  from: z.int().nullable().describe('place of the first one; null while the lines before it are being counted'),
  total: z.int().describe('lines that are wanted, as far as they are counted'),
  counted: z.boolean().describe('total is exact'),
  counts: z.strictObject({ stdout: z.int(), stderr: z.int(), unjam: z.int() }).describe('lines of each stream'),
  size: z.int().describe('bytes of the log; for "after"'),
  /** True when the script is final, its tree is gone and everything is counted. */
  complete: z.boolean(),
});

export const LogSearchInput = z.strictObject({
  ticket: Ticket,
  ...pattern,
  streams: LogStreams,
  near: LineNumber.optional().describe('where next and previous are looked for'),
  from: z.int().min(0).optional().describe('place of the first hit to list'),
  count: z.int().min(0).max(10_000).optional().describe('how many hits to list; absent = none'),
  waitMs: z.int().min(0).max(30_000).optional().describe('how long to wait for the exact count; absent = 1,000'),
});
const Hit = z.strictObject({ line: LineNumber, place: z.int().describe('among the hits, from 0') });
export const LogHits = z.strictObject({
  total: z.int().describe('lines with a hit, as far as the log was searched; no cap'),
  exact: z.boolean().describe('the whole log was searched'),
  hits: z.array(LineNumber),
  here: Hit.nullable().describe('the hit in the line "near"'),
  next: Hit.nullable().describe('the first hit behind it, or the first of all'),
  previous: Hit.nullable().describe('the last hit before it, or the last of all'),
});

export const LogLineInput = z.strictObject({
  ticket: Ticket,
  line: LineNumber,
  from: z.int().min(0).optional().describe('byte of the line to begin at'),
});
export const LogLineText = z.strictObject({
  text: z.string().describe('about 1 MB at most'),
  next: z.int().nullable().describe('the byte to go on from; null at its end'),
  bytes: z.int(),
});
