/** What the middle is told of the machine, and what it still wants to know. Plain data: a fixture is one JSON file. */
import type { ProcessIdentity } from '../domain/identity.ts';
import type { System } from './recogniser.ts';

export interface Row {
  readonly identity: ProcessIdentity;
  readonly parentPid: number;
  /** Linux session; null on Windows. */
  readonly session: number | null;
  /** True when the process has a controlling terminal; absent where that is not known. */
  readonly terminal?: boolean;
  readonly cpuMs: number | null;
  readonly state: 'running' | 'sleeping' | 'kernel' | 'stopped' | 'zombie' | 'unknown';
}

/** Null: asked, and it may not be read or is not there. Absent: not asked yet. */
export interface ProcessAnswers {
  readonly words?: string | null;
  /** The named variables only; null when the environment may not be read. */
  readonly variables?: Readonly<Record<string, string>> | null;
  /** systemd service of the process: `backup.service`. */
  readonly unit?: string | null;
  readonly user?: string | null;
}

/** `unreadable`: it exists, or may exist, and this user may not look. */
export type FileKnown = FileAnswer | 'unreadable' | null;

export interface FileAnswer {
  readonly bytes: number;
  /** Last change, ms since 1970. */
  readonly changedAt: number;
  /** Its first 4 KB, where they were wanted. */
  readonly head: string | null;
}

export interface Known {
  readonly now: number;
  readonly system: System;
  /** Pid of the process that looks. */
  readonly self: number;
  readonly table: readonly Row[];
  /** By `keyOf`. */
  readonly processes: Readonly<Record<string, ProcessAnswers>>;
  readonly files: Readonly<Record<string, FileKnown>>;
  /** Names of the entries. */
  readonly folders: Readonly<Record<string, readonly string[] | null>>;
}

export type Want =
  | { readonly kind: 'words' | 'unit' | 'user'; readonly of: ProcessIdentity }
  | { readonly kind: 'variables'; readonly of: ProcessIdentity; readonly names: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly head: boolean }
  | { readonly kind: 'folder'; readonly path: string };

export const keyOf = (p: ProcessIdentity): string => `${p.pid}:${p.startTime}`;
