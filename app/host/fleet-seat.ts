/** The host's place in a fleet: taken when it has joined one, given up when it has left. */
import { statSync } from 'node:fs';
import { fleetFile } from '../fleet/config.ts';
import type { Fleet } from '../fleet/index.ts';
import type { LivenessProbe } from '../locks/index.ts';

const lookMs = 2_000;

export class FleetSeat implements AsyncDisposable {
  readonly #stateDirectory: string;
  readonly #probe: LivenessProbe;
  readonly #log: (line: string) => void;
  readonly #timer: NodeJS.Timeout;
  #joinedAt: number | null = null;
  #isLooking = false;
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
      this.fleet = joinedFleet(this.#stateDirectory, this.#probe, 'host');
      this.fleet?.attend();
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
