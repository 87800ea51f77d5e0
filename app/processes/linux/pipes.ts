/**
 * Lines of a shell's program that open pipes without a name: each under the first descriptor for reading and the second
 * for writing. A shell writes a here-document into a pipe, whose other end /proc opens; bash before 5.1 writes it into a
 * file, and has `<(…)` instead. Others may open the pipe under /proc/PID/fd while this shell has it.
 */
export const pipes = (ends: readonly (readonly [read: number, write: number])[]): string => {
  const each = (text: (read: number, write: number) => string): string => ends.map((end) => text(...end)).join(' ');
  const first = ends[0]?.[0];
  return [
    `exec ${each((read) => `${read}<<E`)}`,
    ...ends.map(() => 'E'),
    `[ -p /proc/self/fd/${first} ] || { set +o posix; eval 'exec ${each((read) => `${read}< <(:)`)}'; }`,
    `exec ${each((read, write) => `${write}>/proc/self/fd/${read}`)} || exit 1`,
  ].join('\n');
};
