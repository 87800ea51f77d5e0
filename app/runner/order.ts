/** What a host tells a runner, as one JSON line on stdin. The environment travels here and is never written to disk. */
export interface RunnerOrder {
  readonly runDirectory: string;
  readonly mutexRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  /** UNJAM_DEBUG_DISABLE_KILL of the host: kills are not sent. Tests only. */
  readonly killDisabled: boolean;
}
