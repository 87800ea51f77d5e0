/** The tray can always ask, also while the application cannot be opened. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Application } from '../../app/host/application.ts';
import type { Snapshot } from '../../app/contract/methods.ts';
import { Engine, type EngineState } from '../../app/host/engine.ts';
import { snapshot } from './fixtures.ts';

const caller = { user: 'kim', via: 'window', role: 'owner' } as const;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function application(changes: Partial<Application> = {}): Application & { emit(seen: Snapshot): void; closes: number } {
  let listener: (seen: Snapshot) => void = () => undefined;
  const one = {
    role: 'host' as const,
    closes: 0,
    dispatch: async () => ({ ok: true as const, value: 'answered' }),
    subscribe: (next: (seen: Snapshot) => void) => {
      listener = next;
      next(snapshot());
      return () => undefined;
    },
    lost: new Promise<string>(() => undefined),
    power: () => undefined,
    close: async () => void one.closes++,
    emit: (seen: Snapshot) => listener(seen),
    ...changes,
  };
  return one;
}

test('a host that has lost its place is closed, and the next try asks whoever has it now', async () => {
  const lost = Promise.withResolvers<string>();
  const first = application({ role: 'host', lost: lost.promise });
  const applications = [first, application({ role: 'client' })];
  const engine = new Engine(
    async () => applications.shift() ?? first,
    () => undefined,
  );
  await engine.start();
  lost.resolve('another host serves it now');
  await new Promise<void>((resolve) => engine.subscribe((state) => state.kind === 'offline' && resolve()));
  expect(first.closes).toBe(1);
  expect(engine.state).toMatchObject({ why: 'another host serves it now' });
  await engine.close();
});

test('answers that it is starting, then answers', async () => {
  const engine = new Engine(
    async () => application(),
    () => undefined,
  );
  expect(await engine.dispatch('host.info', {}, caller)).toMatchObject({
    ok: false,
    error: { code: 'host-unreachable' },
  });
  await engine.start();
  expect(await engine.dispatch('host.info', {}, caller)).toEqual({ ok: true, value: 'answered' });
});

test('a listener hears the present state at once, every later one, and nothing after it ended', async () => {
  const app = application();
  const engine = new Engine(
    async () => app,
    () => undefined,
  );
  const heard: EngineState['kind'][] = [];
  const end = engine.subscribe((state) => heard.push(state.kind));
  await engine.start();
  app.emit(snapshot());
  end();
  app.emit(snapshot());
  expect(heard).toEqual(['starting', 'online', 'online']);
});

describe('while it cannot be opened', () => {
  test('it says why and since when, and opens by itself as soon as it can', async () => {
    let broken = true;
    const engine = new Engine(
      async () => {
        if (broken) throw new Error('The disk is full.');
        return application();
      },
      () => undefined,
    );
    await engine.start();
    expect(engine.state).toMatchObject({ kind: 'offline', why: 'The disk is full.' });
    const since = engine.state.kind === 'offline' ? engine.state.since : 0;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(engine.state).toMatchObject({ kind: 'offline', since });
    expect(await engine.dispatch('host.info', {}, caller)).toMatchObject({
      error: { message: 'The host is not running: The disk is full.' },
    });
    broken = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(engine.state.kind).toBe('online');
  });

  test('it tries at most once a minute after a while', async () => {
    let tries = 0;
    const engine = new Engine(
      async () => {
        tries++;
        throw new Error('no');
      },
      () => undefined,
    );
    await engine.start();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(tries).toBeLessThanOrEqual(65);
    await engine.close();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(tries).toBeLessThanOrEqual(65);
  });
});

describe('while another process hosts', () => {
  test('its end is noticed within seconds, said, and followed by becoming the host', async () => {
    let alive = true;
    let ended = 0;
    const unreachable = { code: 'host-unreachable', message: 'The host is not reachable.', next: '' } as const;
    const other = application({
      role: 'client',
      dispatch: async () => (alive ? { ok: true, value: 'theirs' } : { ok: false, error: unreachable }),
      subscribe: (listener) => {
        listener(snapshot());
        return () => ended++;
      },
    });
    const roles: string[] = [];
    const engine = new Engine(
      async () => (alive ? other : application()),
      () => undefined,
    );
    engine.subscribe((state) => roles.push(state.kind === 'online' ? state.role : state.kind));
    await engine.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(roles).toEqual(['starting', 'client']);
    alive = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(engine.state).toMatchObject({ kind: 'offline', why: 'The host is not reachable.' });
    expect([ended, other.closes]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(roles).toEqual(['starting', 'client', 'offline', 'host']);
  });
});

describe('closing', () => {
  test('takes at most 3 s, even when the application never answers', async () => {
    const engine = new Engine(
      async () => application({ close: () => new Promise(() => undefined) }),
      () => undefined,
    );
    await engine.start();
    let closed = false;
    void engine.close().then(() => (closed = true));
    await vi.advanceTimersByTimeAsync(2_900);
    expect(closed).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(closed).toBe(true);
  });

  test('closes the application once, and whoever asks again waits for the same end', async () => {
    const app = application();
    const engine = new Engine(
      async () => app,
      () => undefined,
    );
    await engine.start();
    await Promise.all([engine.close(), engine.close()]);
    expect(app.closes).toBe(1);
    expect(await engine.dispatch('host.info', {}, caller)).toMatchObject({ ok: false });
  });

  test('closes an application that opened too late', async () => {
    const app = application();
    let opened: (one: Application) => void = () => undefined;
    const engine = new Engine(
      () => new Promise((resolve) => (opened = resolve)),
      () => undefined,
    );
    const started = engine.start();
    await engine.close();
    opened(app);
    await started;
    expect(app.closes).toBe(1);
  });

  test('does not throw when closing fails', async () => {
    const log: string[] = [];
    const engine = new Engine(
      async () =>
        application({
          close: async () => {
            throw new Error('the journal is locked');
          },
        }),
      (line) => log.push(line),
    );
    await engine.start();
    await engine.close();
    expect(log).toEqual(['Closing failed: Error: the journal is locked']);
  });

  test('a stream of snapshots that broke is noticed at once: what is on screen is not true any more', async () => {
    const clients: { lose: (why: string) => void; closes: number }[] = [];
    const engine = new Engine(
      async () => {
        const { promise, resolve } = Promise.withResolvers<string>();
        const other = Object.assign(application({ role: 'client', lost: promise }), { lose: resolve });
        clients.push(other);
        return other;
      },
      () => undefined,
    );
    await engine.start();
    clients[0]?.lose('An event "snapshot" of the host is not JSON.');
    await vi.advanceTimersByTimeAsync(0);
    expect(engine.state).toMatchObject({ kind: 'offline', why: 'An event "snapshot" of the host is not JSON.' });
    expect(clients[0]?.closes).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(engine.state.kind).toBe('online');
    await engine.close();
    clients[1]?.lose('after the end');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(clients.map(({ closes }) => closes)).toEqual([1, 1]);
  });
});
