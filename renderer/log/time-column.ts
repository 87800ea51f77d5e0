export const timeColumns = ['local', 'utc', 'delta', 'off'] as const;
export type TimeColumn = (typeof timeColumns)[number];
export const timeColumnLabels: Readonly<Record<TimeColumn, string>> = {
  local: 'local',
  utc: 'UTC',
  delta: 'between lines',
  off: 'off',
};
