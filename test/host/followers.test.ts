/** Who follows a script hears of each change once, and of nothing else. */
import { describe, expect, test } from 'vitest';
import type { ScriptView, Snapshot } from '../../app/contract/methods.ts';
import { Followers } from '../../app/host/followers.ts';
import { listView, script } from '../support/browser-worlds.ts';

const waitMs = 30_000;

/** One script, and whoever looks at it. */
class Host {
  view: ScriptView = listView(script({ ticket: 'a', state: 'running' }));
  readonly listeners = new Set<(snapshot: Snapshot) => void>();
  readonly followers = new Followers(
    {
      view: () => this.view,
      subscribe: (listener) => {
        listener(this.#snapshot());
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    },
    2,
  );
  #snapshot = (): Snapshot => ({ scripts: [this.view] }) as unknown as Snapshot;

  change(parts: Partial<ScriptView>): void {
    this.view = { ...this.view, ...parts };
    for (const listener of [...this.listeners]) listener(this.#snapshot());
  }

  async mark(): Promise<string> {
    return (await this.followers.follow({ ticket: 'a' })).mark;
  }
}

describe('who follows a script', () => {
  test('is answered at once without a mark, and with an older one', async () => {
    const host = new Host();
    const { mark, complete } = await host.followers.follow({ ticket: 'a', waitMs });
    expect(complete).toBe(false);
    host.change({ version: host.view.version + 1 });
    expect((await host.followers.follow({ ticket: 'a', since: mark, waitMs })).mark).not.toBe(mark);
    expect(host.listeners.size).toBe(0);
  });

  test.each<Partial<ScriptView>>([
    { version: 99 },
    { blocks: 7 },
    { queuePosition: 3 },
    { taken: { by: 'kim', since: '2026-11-20T03:12:50.000Z', until: '2026-11-20T04:12:50.000Z' } },
    { condition: { ...listView(script({ ticket: 'a' })).condition, key: 'silent' } },
  ])('hears of %j, and not of another time of output', async (change) => {
    const host = new Host();
    const since = await host.mark();
    const answer = host.followers.follow({ ticket: 'a', since, waitMs });
    host.change({ lastOutputAt: '2026-11-20T03:12:50.000Z' });
    expect(host.listeners.size).toBe(1);
    host.change(change);
    expect((await answer).script).toMatchObject(change);
    expect(host.listeners.size).toBe(0);
  });

  test('of a final script waits for nothing', async () => {
    const host = new Host();
    host.change({ state: 'final', verdict: 'exited' });
    const since = await host.mark();
    expect(await host.followers.follow({ ticket: 'a', since, waitMs })).toMatchObject({ complete: true, mark: since });
  });

  test('is refused when as many wait already as may; who does not wait is answered', async () => {
    const host = new Host();
    const since = await host.mark();
    const gone = new AbortController();
    const waiting = [1, 2].map(() => host.followers.follow({ ticket: 'a', since, waitMs }, gone.signal));
    await expect(host.followers.follow({ ticket: 'a', since, waitMs })).rejects.toMatchObject({ code: 'busy' });
    expect(await host.mark()).toBe(since);
    gone.abort();
    await Promise.all(waiting);
    expect(host.listeners.size).toBe(0);
    const next = host.followers.follow({ ticket: 'a', since, waitMs });
    host.change({ blocks: 7 });
    expect((await next).script.blocks).toBe(7);
  });
});
