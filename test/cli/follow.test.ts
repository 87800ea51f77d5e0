import { expect, test } from 'vitest';
import type { HostClient } from '../../app/cli/command.ts';
import { follow } from '../../app/cli/follow.ts';

interface Page {
  readonly moved: boolean;
  readonly complete: boolean;
}

/** Reads these pages one after the other; the script is `state` from the first question for it on. */
async function followed(pages: readonly Page[], state: 'running' | 'final', orphan: boolean, isFollowing = true) {
  const waits: number[] = [];
  const left = [...pages];
  const client = { call: () => Promise.resolve({ state, orphan }) } as unknown as HostClient;
  await follow(client, 't', isFollowing, (waitMs) => {
    waits.push(waitMs);
    const page = left.shift();
    return page === undefined ? Promise.reject(new Error('read after its end')) : Promise.resolve(page);
  });
  return { waits, unread: left.length };
}

const nothing = { moved: false, complete: false };
const news = { moved: true, complete: false };
const end = { moved: true, complete: true };

test('a script that ends between a look at its log and a look at itself is read to its end', async () => {
  expect(await followed([news, nothing, news, end], 'final', false)).toEqual({ waits: [2_000, 2_000, 2_000, 2_000], unread: 0 }); // prettier-ignore
});

test('an orphan that writes nothing is not waited for', async () => {
  expect(await followed([news, nothing, nothing], 'final', true)).toEqual({ waits: [2_000, 2_000, 0], unread: 0 });
});

test('without following it ends where nothing is new', async () => {
  expect(await followed([news, nothing], 'running', false, false)).toEqual({ waits: [0, 0], unread: 0 });
});
