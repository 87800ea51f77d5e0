/** Who may do what: three roles, each of which may do what the one before it may. Pure. */

export const roles = ['viewer', 'operator', 'owner'] as const;
/** viewer: sees everything; operator: the three verbs, resume, the drill; owner: starts, completes, configures, retires. */
export type Role = (typeof roles)[number];

/** `who` is an account or a group of the system: `kim`, `group:deploy`, `CORP\oncall`, `BUILTIN\Users`. */
export interface Grant {
  readonly who: string;
  readonly role: Role;
}

export const mayActAs = (role: Role, wanted: Role): boolean => roles.indexOf(role) >= roles.indexOf(wanted);

/** Null for somebody who has no role at all. */
export const highest = (all: readonly Role[]): Role | null => roles.findLast((role) => all.includes(role)) ?? null;

/** `a viewer`. */
export const roleNames = { viewer: 'a viewer', operator: 'an operator', owner: 'an owner' } as const;

/** Why somebody with `role` may not, and who may: one sentence each. Hosts always let their own account and root in. */
export function whoMay(wanted: Role, role: Role, grants: readonly Grant[]): string {
  const others = grants.filter((g) => mayActAs(g.role, wanted)).map((g) => g.who);
  const may = others.length === 0 ? 'only an administrator of this host' : `${list(others)}, and administrators`;
  return `You are ${roleNames[role]} on this host; this takes ${roleNames[wanted]}: ${may}.`;
}

const list = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
