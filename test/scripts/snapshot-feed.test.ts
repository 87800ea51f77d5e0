/** Whoever looks sees the first state at once, the last one surely, and at most four a second in between. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Snapshot } from '../../app/contract/methods.ts';
import { SnapshotFeed } from '../../app/host/snapshot-feed.ts';

/** A supervisor that only counts: the promise is about the feed's clock. */
class Source {
  sequence = 0;
  living = false;
  problem: string | null = null;
  readonly log: string[] = [];
  #changed: () => void = () => undefined;
  snapshot(): Snapshot {
    if (this.problem !== null) throw new Error(this.problem);
    return {
      sequence: this.sequence,
      scripts: this.living ? [{ state: 'running', orphan: false }] : [],
    } as unknown as Snapshot;
  }
  onChange(listener: () => void): () => void {
    this.#changed = listener;
    return () => (this.#changed = () => undefined);
  }
  change(): void {
    this.sequence += 1;
    this.#changed();
  }
}

describe('a subscriber', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  function subscribed() {
    const source = new Source();
    const feed = new SnapshotFeed(source, (line) => source.log.push(line));
    const seen: number[] = [];
    const stop = feed.subscribe((s) => seen.push(s.sequence));
    return { source, feed, seen, stop };
  }

  test('sees the state of now at once', () => {
    expect(subscribed().seen).toEqual([0]);
  });

  test('sees at most four states a second, and the last one in any case', () => {
    const { source, seen } = subscribed();
    vi.advanceTimersByTime(2_000);
    seen.length = 0;
    for (let i = 0; i < 1_000; i += 1) {
      source.change();
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(250);
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen.length).toBeLessThanOrEqual(5);
    expect(seen.at(-1)).toBe(source.sequence);
  });

  test('sees the state again once it can be read; why it could not is said once', () => {
    const { source, seen } = subscribed();
    source.problem = 'EMFILE: too many open files';
    source.change();
    vi.advanceTimersByTime(5_000);
    expect(seen).toEqual([0]);
    expect(source.log).toEqual([
      'W396 The state could not be read for those who are looking: EMFILE: too many open files. It will be tried again.',
    ]);
    source.problem = null;
    vi.advanceTimersByTime(1_000);
    expect(seen).toEqual([0, 1]);
  });

  test('whose first state cannot be read is not one', () => {
    const source = new Source();
    const feed = new SnapshotFeed(source, () => undefined);
    source.problem = 'EMFILE';
    expect(() => feed.subscribe(() => undefined)).toThrow('EMFILE');
    source.problem = null;
    source.change();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('sees ages grow once a second while something lives, and nothing when all is over', () => {
    const { source, seen } = subscribed();
    source.living = true;
    source.change();
    vi.advanceTimersByTime(1_000);
    seen.length = 0;
    vi.advanceTimersByTime(10_000);
    expect(seen).toHaveLength(10);
    source.living = false;
    source.change();
    vi.advanceTimersByTime(2_000);
    seen.length = 0;
    vi.advanceTimersByTime(60_000);
    expect(seen).toEqual([]);
  });

  test('who has left, or whose feed is closed, sees nothing more', () => {
    const { source, feed, seen, stop } = subscribed();
    stop();
    source.change();
    vi.advanceTimersByTime(5_000);
    expect(seen).toEqual([0]);
    feed.subscribe((s) => seen.push(s.sequence));
    feed.close();
    source.change();
    vi.advanceTimersByTime(5_000);
    expect(seen).toEqual([0, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('who comes second does not disturb the first', () => {
    const { source, feed, seen } = subscribed();
    const other: number[] = [];
    feed.subscribe((s) => other.push(s.sequence));
    source.change();
    vi.advanceTimersByTime(2_000);
    expect([seen.at(-1), other.at(-1)]).toEqual([1, 1]);
  });
});
