/** The host's place in a fleet: taken when it has joined one, given up when it has left. */
import { statSync } from 'node:fs';
import type { Dispatch } from '../contract/dispatcher.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Reply, Snapshot } from '../contract/methods.ts';
import { fleetFile, notJoined } from '../fleet/config.ts';
import { roleAcrossFleet } from '../contract/roles.ts';
import type { Call, Fleet } from '../fleet/index.ts';
import type { LivenessProbe } from '../locks/index.ts';

const lookMs = 2_000;

export class FleetSeat implements AsyncDisposable {
  readonly #stateDirectory: string;
  readonly #probe: LivenessProbe;
  readonly #log: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  #joinedAt: number | null = null;
  #isLooking = false;
  #serve: ((fleet: Fleet) => void) | null = null;
  fleet: Fleet | null = null;

  private constructor(stateDirectory: string, probe: LivenessProbe, log: (line: string) => void) {
    this.#stateDirectory = stateDirectory;
    this.#probe = probe;
    this.#log = log;
    this.#timer = setInterval(() => void this.#look(), lookMs).unref();
  }

  static async open(stateDirectory: string, probe: LivenessProbe, log: (line: string) => void): Promise<FleetSeat> {
    const seat = new FleetSeat(stateDirectory, probe, log);
    await seat.#look();
    return seat;
  }

  /** From now on persons on other hosts are answered too, and see what `shown` answers. */
  serve(dispatch: Dispatch, shown: () => Pick<Snapshot, 'scripts' | 'observed'>): void {
    this.#serve = (fleet) => {
      fleet.takeCalls((call) => answerTo(call, dispatch));
      fleet.show(shown);
    };
    if (this.fleet) this.#serve(this.fleet);
  }

  get warnings(): readonly { readonly text: string; readonly next: string }[] {
    const problem = this.fleet?.problem ?? null;
    return problem === null
      ? []
      : [
          {
            text: `${problem.replace(/\.$/, '')}. What is shown of its mutexes may be old.`,
            next: 'See "unjam fleet doctor".',
          },
        ];
  }

  /** @throws UnjamError `fleet-not-joined` */
  get joined(): Fleet {
    if (this.fleet) return this.fleet;
    throw notJoined();
  }

  async #look(): Promise<void> {
    const joinedAt = statSync(fleetFile(this.#stateDirectory), { throwIfNoEntry: false })?.mtimeMs ?? null;
    if (this.#isLooking || joinedAt === this.#joinedAt) return;
    this.#isLooking = true;
    this.#joinedAt = joinedAt;
    const before = this.fleet;
    this.fleet = null;
    try {
      await before?.[Symbol.asyncDispose]();
      if (joinedAt === null) return;
      const { joinedFleet } = await import('../fleet/index.ts');
      this.fleet = joinedFleet(this.#stateDirectory, this.#probe, 'host', this.#log);
      this.fleet?.attend();
      if (this.fleet) this.#serve?.(this.fleet);
    } catch (error) {
      this.#log(`W397 The fleet cannot be joined: ${(error as Error).message}`);
    } finally {
      this.#isLooking = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.fleet?.[Symbol.asyncDispose]();
  }
}

/** As a local caller's, with less that may be asked. */
export async function answerTo({ actor, role, method, input }: Call, dispatch: Dispatch): Promise<Reply> {
  const asRole = roleAcrossFleet(method, role);
  if (asRole !== null) return dispatch(method, input, { user: actor, via: 'fleet', role: asRole });
  const refused = new UnjamError(
    'not-allowed',
    `"${method}" cannot be asked of another host. Nothing was done.`,
    'Do it on that host itself.',
  );
  return { ok: false, error: refused.toBody() };
}
