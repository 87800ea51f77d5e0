import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { LogLine } from '../../app/contract/methods.ts';
import { Evidence, type EvidenceParts } from '../../app/evidence/evidence.ts';
import type { Actor } from '../../app/domain/script.ts';

const kim: Actor = { user: 'kim', via: 'cli' };
const never = new Promise<never>(() => undefined);

/** A script that runs; its folder cannot be written, unless another one is given. */
function evidenceOf(parts: Partial<EvidenceParts>, path = '/nowhere/runs/t'): { evidence: Evidence; notes: string[] } {
  const notes: string[] = [];
  const record = {
    ticket: 't',
    runId: 'r',
    name: 'Deploy web',
    stage: 'lives',
    folder: path,
    members: () => [],
    environmentNames: [],
    agent: null,
  };
  const detail = {
    ticket: 't', name: 'Deploy web', state: 'running', orphan: false, command: ['true'], cwd: '/', actor: kim, pid: 1,
    condition: { headline: 'Running.' }, evidence: { for: [], against: [] }, waiters: [], processes: [], attempts: [],
    startedAt: null, lastOutputAt: null, endedAt: null, mutex: null, holder: null,
  }; // prettier-ignore
  const evidence = new Evidence({
    control: { self: { machine: 'web-01' } },
    version: '0',
    isWanted: () => true,
    record: () => record,
    detail: () => detail,
    why: () => never,
    logLines: async () => [],
    unjamLines: async () => [],
    journal: () => [],
    note: (_record: unknown, _actor: Actor, line: { code: string; text: string }) => notes.push(`${line.code} ${line.text}`),
    ...parts,
  } as unknown as EvidenceParts); // prettier-ignore
  return { evidence, notes };
}

test('what cannot be written, or is never ready, does not keep a verb from acting, and is said', async () => {
  const { evidence, notes } = evidenceOf({});
  await evidence.beforeEnd('Force Kill', 't', kim);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^W262 No evidence was saved before Force Kill: .*Nothing waits for it any longer\.$/);
});

test('nothing is collected before a verb where the settings do not want it', async () => {
  const { evidence, notes } = evidenceOf({ isWanted: () => false });
  await evidence.beforeEnd('Force Kill', 't', kim);
  expect(notes).toEqual([]);
});

test('a script that is unknown is left to the verb itself', async () => {
  const { evidence, notes } = evidenceOf({
    record: () => {
      throw new Error('unknown');
    },
  });
  await evidence.beforeEnd('Abandon', 't', kim);
  expect(notes).toEqual([]);
});

test('a bundle is for its owner alone; five are kept, and none of its files has more than 1 MiB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-evidence-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const line = { at: null, stream: 'stdout', code: null, text: 'x'.repeat(4_000) } as Partial<LogLine> as LogLine;
  const { evidence } = evidenceOf(
    { why: () => Promise.reject(new Error('nothing lives')), logLines: async () => Array<LogLine>(1_000).fill(line) },
    folder,
  );
  const saved: string[] = [];
  for (let i = 0; i < 6; i += 1) {
    const { file, missing } = await evidence.save('t', kim);
    expect(missing.join()).toContain('log.txt: it was cut after 1,048,576 characters');
    saved.push(file);
  }
  expect(readdirSync(folder).toSorted()).toEqual(saved.slice(1).toSorted());
  const path = join(folder, saved[5] ?? '');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(longestIn(readFileSync(path))).toBe(1_048_576 + 1); // and its last line feed
});

/** The size of the largest file of a zip, by its central directory (APPNOTE.TXT 4.3.12). */
function longestIn(zip: Buffer): number {
  const sizes: number[] = [];
  for (
    let at = zip.indexOf('PK\u0001\u0002', 0, 'latin1');
    at !== -1;
    at = zip.indexOf('PK\u0001\u0002', at + 4, 'latin1')
  )
    // prettier-ignore
    sizes.push(zip.readUInt32LE(at + 24));
  return Math.max(...sizes);
}
