import { expect, test } from 'vitest';
import { Evidence, type EvidenceParts } from '../../app/evidence/evidence.ts';
import type { Actor } from '../../app/domain/script.ts';

const kim: Actor = { user: 'kim', via: 'cli' };
const never = new Promise<never>(() => undefined);

/** A script that runs beside a folder that cannot be written. */
function evidenceOf(parts: Partial<EvidenceParts>): { evidence: Evidence; notes: string[] } {
  const notes: string[] = [];
  const record = {
    spec: { ticket: 't', runId: 'r', name: 'Deploy web', environmentNames: [] },
    started: { scope: {} },
    isFinal: false,
    isOrphan: false,
    directory: { path: '/nowhere/runs/t' },
  };
  const detail = {
    ticket: 't', name: 'Deploy web', state: 'running', orphan: false, command: ['true'], cwd: '/', actor: kim, pid: 1,
    condition: { headline: 'Running.' }, evidence: { for: [], against: [] }, waiters: [], processes: [], attempts: [],
    startedAt: null, lastOutputAt: null, endedAt: null, mutex: null, holder: null,
  }; // prettier-ignore
  const evidence = new Evidence({
    control: { tree: () => [], self: { machine: 'web-01' } },
    version: '0',
    record: () => record,
    detail: () => detail,
    why: () => never,
    logLines: async () => [],
    unjamLines: async () => [],
    journal: () => [],
    note: (_ticket: string, _body: unknown, line: { code: string; text: string }) => notes.push(`${line.code} ${line.text}`),
    ...parts,
  } as unknown as EvidenceParts); // prettier-ignore
  return { evidence, notes };
}

test('what cannot be written, or is never ready, does not keep a verb from acting, and is said', async () => {
  const { evidence, notes } = evidenceOf({});
  await evidence.before('Force Kill', 't', kim);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^W262 No evidence was saved before Force Kill: .*carried out all the same\.$/);
});

test('a script that is unknown is left to the verb itself', async () => {
  const { evidence, notes } = evidenceOf({
    record: () => {
      throw new Error('unknown');
    },
  });
  await evidence.before('Abandon', 't', kim);
  expect(notes).toEqual([]);
});
