/** A TCP proxy whose connections can be cut, reset, or stalled in one direction or both. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** `up` is from who connects to what is behind the wire. */
export type Direction = 'up' | 'down';

export class Wire implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<Record<Direction, Socket>>();
  readonly #stalled = new Set<Direction>();
  #isCut = false;

  private constructor(target: string) {
    this.#server = createServer((near) => {
      if (this.#isCut) near.resetAndDestroy();
      else this.#join(near, connect(target));
    });
  }

  /** To the Unix socket `target`; listens on a loopback port of its own. */
  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((listening) => wire.#server.listen(0, '127.0.0.1', listening));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and refuses new ones. */
  cut(): void {
    this.#isCut = true;
    this.reset();
  }

  /** Ends every connection, with all that was under way. */
  reset(): void {
    for (const { up, down } of this.#pairs) {
      up.resetAndDestroy();
      down.destroy();
    }
  }

  /** From now on nothing arrives in these directions; what is sent does when the wire is mended. */
  stall(directions: readonly Direction[]): void {
    for (const direction of directions) {
      this.#stalled.add(direction);
      for (const pair of this.#pairs) pair[direction].pause();
    }
  }

  mend(): void {
    this.#isCut = false;
    this.#stalled.clear();
    for (const { up, down } of this.#pairs) for (const socket of [up, down]) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.cut();
    await closed;
  }

  /** `near` brings what goes up, `far` what comes down. */
  #join(near: Socket, far: Socket): void {
    const pair = { up: near, down: far };
    this.#pairs.add(pair);
    for (const [direction, from, to] of [
      ['up', near, far],
      ['down', far, near],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.end();
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
      });
      from.setNoDelay();
      if (this.#stalled.has(direction)) from.pause();
    }
  }
}
