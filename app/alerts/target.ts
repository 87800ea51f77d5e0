/** One of those who are told, and the files that its setting names. */
import { readFileSync } from 'node:fs';
import type { Settings } from '../contract/methods.ts';

export type Target = Settings['alerts'][number];

/** @throws the file system's error */
export const contentOf = (file: string): string => readFileSync(file, 'utf8');

/** Without the line feed that an editor leaves. @throws the file system's error */
export const secretIn = (file: string): string => contentOf(file).trim();
