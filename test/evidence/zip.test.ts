import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { zip } from '../../app/evidence/zip.ts';

const files = [
  { name: 'README.md', text: '# Größe\n'.repeat(500) },
  { name: 'empty.txt', text: '' },
  { name: 'Übersicht.txt', text: 'one line' },
];

test('another program takes the archive out as it went in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-zip-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.zip');
  writeFileSync(path, zip(files, new Date(2026, 11, 1, 14, 45, 2)));
  const look =
    'import zipfile,sys,json; z=zipfile.ZipFile(sys.argv[1]); print(json.dumps([z.testzip(), [[i.filename, z.read(i).decode(), list(i.date_time)] for i in z.infolist()]]))';
  const [bad, seen] = JSON.parse(execFileSync('python3', ['-c', look, path], { encoding: 'utf8' })) as [
    unknown,
    unknown,
  ];
  expect(bad).toBeNull();
  expect(seen).toEqual(files.map(({ name, text }) => [name, text, [2026, 12, 1, 14, 45, 2]]));
});

test('an archive without files is one', () => {
  expect(zip([], new Date(0)).toString('latin1', 0, 4)).toBe('PK\u0005\u0006');
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926); // the check value of CRC-32/ISO-HDLC
});
