/** The clocks and bounds of supervision.md and locks.md in one place. All in milliseconds unless named otherwise. */
export const limits = {
  /** Cancel grace for API and CLI; the window asks for 30 s. 0.1 s to 1 h. */
  graceMs: 10_000,
  graceWindowMs: 30_000,
  graceMinMs: 0,
  graceMaxMs: 3_600_000,
  /** Bound of a clean-up command that is given without one. */
  cleanupMs: 60_000,
  /** After a kill, before survivors are called unkillable. */
  settleMs: 5_000,
  /** A spec without a runner after this time was never started. */
  startMs: 60_000,
  /** Mutex timeout, overall and no-output timeouts. */
  timeoutMinMs: 10,
  timeoutMaxMs: 86_400_000,
  mutexNameMax: 128,
  ticketMax: 64,
  nameMax: 200,
  reasonMax: 500,
  /** A runner that has not answered a request for this long is passed over: the host acts itself. */
  runnerAnswerMs: 2_000,
  /** How long somebody is said to be on it. */
  takenMs: 3_600_000,
  /** Finished scripts kept, counted from their end. */
  keepMs: 7 * 86_400_000,
  keepCount: 500,
  keepBytes: 5e9,
  /** Largest body of one API call, bytes. */
  bodyMaxBytes: 1_048_576,
  heartbeatMs: 3_000,
  heartbeatStaleMs: 60_000,
  /** Waiting is told in the waiter's log after these times, then hourly. */
  waitingToldAtMs: [0, 60_000, 300_000, 600_000, 1_200_000, 2_400_000] as readonly number[],
  waitingToldEveryMs: 3_600_000,
} as const;
