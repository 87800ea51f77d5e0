/** The tray of an ordinary user as a client of a host that runs as root: each verb as far as that user's role goes. Needs root. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostInfo, Reply, ScriptDetail } from '../../app/contract/methods.ts';
import { MachineHost, operator, owner, stranger, viewer } from '../support/machine-host.ts';
import type { Order } from './drivers/tray-as.ts';

class Tray implements AsyncDisposable {
  readonly #child: ChildProcess;
  constructor(host: MachineHost, uid: number) {
    this.#child = host.start(uid, [process.execPath, join(import.meta.dirname, 'drivers/tray-as.ts')]);
  }
  async #message(): Promise<unknown> {
    return ((await once(this.#child, 'message')) as unknown[])[0];
  }
  /** What it shows once it has looked for the host. */
  ready(): Promise<{ ready: string; menu: string[] }> {
    return this.#message() as ReturnType<Tray['ready']>;
  }
  /** A call of its page; the person says yes to each question. */
  async call(method: string, input: unknown = {}): Promise<Reply> {
    for (;;) {
      const answer = this.#message();
      this.#child.send({ method, input } satisfies Order);
      const reply = (await answer) as Reply;
      if (reply.ok || reply.error.message !== 'Another question is still open.') return reply;
      await delay(50); // main rests for a second between two questions
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

/** The stand-in of the tray claims a name; the system's word stands beside it. */
const called = (uid: number): string => `CONTOSO\\kim (as uid ${uid})`;

const valueOf = <T>(reply: Reply): T => {
  if (!reply.ok) throw new Error(reply.error.message);
  return reply.value as T;
};

describe.skipIf(process.getuid?.() !== 0)('the tray of an ordinary user at a host of root (needs root)', () => {
  let host: MachineHost;
  beforeAll(async () => {
    host = await MachineHost.open();
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  async function open(uid: number): Promise<Tray> {
    const tray = new Tray(host, uid);
    expect((await tray.ready()).ready).toBe('online');
    return tray;
  }

  test('shows a viewer everything; every verb is refused in a sentence that says who may, and nothing is done', async () => {
    const ticket = await host.started();
    await using tray = await open(viewer);
    expect(valueOf<HostInfo>(await tray.call('host.info')).you).toMatchObject({
      user: called(viewer),
      role: 'viewer',
    });
    for (const method of ['scripts.cancel', 'scripts.kill', 'scripts.abandon'])
      expect(await tray.call(method, { ticket })).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/takes an operator/) as string },
      });
    expect(await host.world.get(ticket)).toMatchObject({ state: 'running', attempts: [], holdsMutex: false });
    await host.world.client.call('scripts.kill', { ticket });
  });

  test('an operator cancels, ends and abandons, each in the person’s name; a start and a setting take an owner', async () => {
    await using tray = await open(operator);
    const [first, second] = [await host.started(), await host.started()];
    valueOf(await tray.call('scripts.cancel', { ticket: first, graceMs: 3_600_000 }));
    valueOf(await tray.call('scripts.kill', { ticket: first }));
    await host.world.untilFinal(first);
    const { pid } = await host.world.get(second);
    valueOf(await tray.call('scripts.abandon', { ticket: second, confirmPid: pid }));
    expect((await host.world.untilFinal(second)).verdict).toBe('abandoned');
    for (const ticket of [first, second])
      for (const { actor } of (await host.world.get(ticket)).attempts)
        expect(actor).toBe(`${called(operator)} (window)`);
    const started = await tray.call('scripts.start', { command: ['true'], cwd: '/' });
    const set = await tray.call('settings.set', { values: { requireReason: true } });
    for (const refused of [started, set])
      expect(refused).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/takes an owner/) as string },
      });
    await host.world.client.call('scripts.kill', { ticket: second });
  });

  test('an owner starts what the question showed, as the host’s account', async () => {
    await using tray = await open(owner);
    const { ticket } = valueOf<ScriptDetail>(await tray.call('scripts.start', { command: ['id', '-u'], cwd: '/' }));
    await host.world.untilFinal(ticket);
    expect(await host.world.log(ticket)).toBe('0\n');
    expect((await host.world.get(ticket)).actor).toEqual({ user: called(owner), via: 'window' });
  });

  test('is not reachable for a person without a role, and starts no host of its own', async () => {
    await using tray = new Tray(host, stranger);
    expect(await tray.ready()).toMatchObject({ ready: 'offline' });
    expect(await tray.call('scripts.list', { all: true })).toMatchObject({ ok: false });
  });
});
