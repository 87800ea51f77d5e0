/** What a person may do on this host, in words. Pure. */
import type { HostInfo, Role } from '../contract.ts';

const may: Readonly<Record<Role, string>> = {
  viewer: 'you can look, nothing else',
  operator: 'you can Cancel, Force Kill, Abandon and resume queues',
  owner: 'you can start scripts, use all three verbs and change settings',
};

export const roleHelp = ({ you, machine }: HostInfo): string =>
  `You are ${you.user}, ${you.role} on ${machine}: ${may[you.role]}.`;
