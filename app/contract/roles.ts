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
  'observed.take': 'operator',
  'observed.evidence': 'operator',
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

/**
 * What a person may ask of another host through the engine of the fleet, and with which role an operator of the fleet
 * does it there. Nothing that starts a script, changes settings or ends a host: the fleet is no way to run something
 * elsewhere.
 */
const acrossFleet: Partial<Record<Method, Role>> = {
  'host.info': 'operator',
  'overview.get': 'operator',
  'scripts.list': 'operator',
  'scripts.get': 'operator',
  'scripts.follow': 'operator',
  'scripts.why': 'operator',
  'scripts.cancel': 'operator',
  'scripts.kill': 'operator',
  'scripts.abandon': 'operator',
  'scripts.complete': 'owner',
  'logs.read': 'operator',
  'logs.lines': 'operator',
  'logs.search': 'operator',
  'logs.line': 'operator',
  'locks.list': 'operator',
  'locks.abandon': 'operator',
  'locks.resume': 'operator',
  'history.list': 'operator',
  'observed.list': 'operator',
  'observed.get': 'operator',
  'observed.why': 'operator',
  'observed.log': 'operator',
  'foreignLocks.list': 'operator',
};

/** Null for a method that no other host may call. */
export const roleAcrossFleet = (method: string, role: 'operator' | 'viewer'): Role | null => {
  const asOperator = Object.hasOwn(acrossFleet, method) ? acrossFleet[method as Method] : undefined;
  return asOperator === undefined ? null : role === 'viewer' ? 'viewer' : asOperator;
};
