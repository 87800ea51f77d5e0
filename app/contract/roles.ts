/** Which role each method takes. */
import { type Grant, mayActAs, type Role, whoMay } from '../domain/access.ts';
import { type Method, methods } from './methods.ts';

const named: Partial<Record<Method, Role>> = {
  'scripts.cancel': 'operator',
  'scripts.kill': 'operator',
  'scripts.endProcess': 'operator',
  'scripts.take': 'operator',
  'scripts.abandon': 'operator',
  'locks.abandon': 'operator',
  'locks.resume': 'operator',
  'observed.cancel': 'operator',
  'observed.kill': 'operator',
  'scripts.evidence': 'operator',
  'drill.start': 'operator',
  'console.open': 'viewer',
};

/** What only reads takes a viewer; a command that is not named above takes an owner. */
export const roleFor = (method: Method): Role =>
  named[method] ?? (methods[method].kind === 'query' ? 'viewer' : 'owner');

/** What shows a log, or a part of one. */
const logMethods: readonly Method[] = [
  'logs.read',
  'logs.lines',
  'logs.search',
  'logs.line',
  'observed.log',
  'evidence.read',
];

export interface AccessRules {
  readonly access: readonly Grant[];
  /** Logs can hold secrets: false keeps viewers from them. */
  readonly viewersReadLogs: boolean;
}

/** Null when `role` may call `method`; else who may, in a sentence or two. */
export function refusalOf(method: Method, role: Role, { access, viewersReadLogs }: AccessRules): string | null {
  const wanted = !viewersReadLogs && logMethods.includes(method) ? 'operator' : roleFor(method);
  return mayActAs(role, wanted) ? null : whoMay(wanted, role, access);
}

/** The methods that `role` may not call, each with the sentence who may. */
export const refusalsOf = (role: Role, rules: AccessRules): Partial<Record<Method, string>> =>
  Object.fromEntries(
    (Object.keys(methods) as Method[])
      .map((method) => [method, refusalOf(method, role, rules)] as const)
      .filter((entry): entry is [Method, string] => entry[1] !== null),
  );
