/** FILETIME: 100 ns intervals since 1601-01-01 UTC, https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-filetime */

const epochDifferenceMs = 11_644_473_600_000;

/** Wall-clock milliseconds since 1970. */
export const fileTimeToMs = (ticks: bigint): number => Number(ticks / 10_000n) - epochDifferenceMs;

export const msToFileTime = (ms: number): bigint => BigInt(ms + epochDifferenceMs) * 10_000n;

/** A duration in 100 ns intervals as milliseconds. */
export const ticksToMs = (ticks: bigint): number => Number(ticks / 10_000n);
