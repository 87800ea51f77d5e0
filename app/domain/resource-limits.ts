/** Resource limits of a process, as setrlimit(2) has them. */
export const resourceNames = [
  'nofile',
  'nproc',
  'core',
  'fsize',
  'data',
  'stack',
  'rss',
  'memlock',
  'as',
  'cpu',
] as const;
export type ResourceName = (typeof resourceNames)[number];

/** In bytes, seconds or pieces; null = unlimited. */
export interface ResourceLimit {
  readonly soft: number | null;
  readonly hard: number | null;
}
export type ResourceLimits = { readonly [Name in ResourceName]?: ResourceLimit };
