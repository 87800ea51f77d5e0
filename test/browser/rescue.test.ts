/** What people stumbled over at night, each held here: questions that were not asked, numbers that disagreed, words nobody saw. */
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, focused, ready, row, verb } from '../support/browser-console.ts';
import { sequenced } from '../support/browser-host.ts';
import { cancelIgnored } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, minute, script } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const busy = {
  key: 'silent-busy',
  label: 'Silent 26 min, but busy',
  headline: 'No output for 26 min, but it uses CPU or writes data. Probably working.',
  severity: 'warning',
  icon: 'silent-busy',
  next: 'wait',
} as const;

describe('Force Kill', () => {
  it('of a script that works, however silent, asks for the pid and says why', async () => {
    const world = stuckWorld();
    world.add(script({ ticket: 'busy', name: 'Index rebuild', pid: 6022, condition: busy }));
    await using scene = await open(world);
    await row(scene.page, 'busy').click();
    await detailOf(scene.page, 'Index rebuild');
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    await dialog(scene.page).getByText('This script does not look stuck.').waitFor();
    await dialog(scene.page).getByRole('button', { name: 'End 1 process' }).click({ force: true });
    await dialog(scene.page).getByText('Type the PID (6022) first.').waitFor();
    expect(scene.host.commands()).toEqual([]);
  });
});

describe('Cancel', () => {
  it('of marked rows counts only those that can be cancelled, and says so when there are none', async () => {
    await using scene = await open(stuckWorld());
    await row(scene.page, 'done-1').click();
    await row(scene.page, 'failed-1').click({ modifiers: ['Control'] });
    await scene.page.keyboard.press('Delete');
    await scene.page.locator('.toast', { hasText: 'Nothing to cancel' }).waitFor();
    expect(await dialog(scene.page).count()).toBe(0);
  });
});

describe('a message', () => {
  it('is seen, not only heard: after a copy, and when the clipboard refuses', async () => {
    await using scene = await open(stuckWorld(), {
      init: () => {
        Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error('no')) } });
      },
    });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Control+Shift+C');
    const toast = scene.page.locator('.toast');
    await toast.filter({ hasText: 'could not be copied' }).waitFor();
    expect((await toast.boundingBox())!.width).toBeGreaterThan(100);
    await toast.waitFor({ state: 'detached' }); // 4 s later
  });
});

describe('a waiter whose queue is paused', () => {
  it('offers to resume it, there', async () => {
    const world = stuckWorld();
    world.change('a1', {
      mutex: 'Backup',
      condition: { ...world.scripts.get('a1')!.condition, key: 'paused', label: 'Queue paused', next: 'show-holder' },
    });
    await using scene = await open(world);
    await row(scene.page, 'a1').click();
    await scene.page.getByRole('button', { name: 'Resume “Backup”' }).click();
    await expect.poll(() => scene.host.commands()).toEqual([{ method: 'locks.resume', input: { name: 'Backup' } }]);
    await scene.page.locator('.toast', { hasText: 'Queue of "Backup" resumed.' }).waitFor();
  });
});

describe('every dialog', () => {
  it('opens at its beginning, its buttons in sight, however long it is', async () => {
    await using scene = await open(stuckWorld(), { viewport: { width: 1280, height: 500 } });
    await scene.page.keyboard.press('F1');
    await ready(scene.page);
    expect(
      await dialog(scene.page)
        .locator('.body')
        .evaluate((body) => body.scrollTop),
    ).toBe(0);
    const [first, back] = await Promise.all([
      dialog(scene.page).locator('h2').boundingBox(),
      dialog(scene.page).getByRole('button', { name: 'Go back' }).boundingBox(),
    ]);
    expect(first!.y).toBeGreaterThan(0);
    expect(back!.y + back!.height).toBeLessThan(500);
  });
});

describe('without a connection', () => {
  it('nothing seems to age, the verdict offers to reconnect, and F5 does it', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    scene.host.goDown();
    await scene.page.getByRole('heading', { name: /has been unreachable since/ }).waitFor();
    const ages = (): Promise<string> => scene.page.locator('.side').innerText();
    const before = await ages();
    await scene.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2_100)));
    expect(await ages()).toBe(before);
    scene.host.comeBack();
    await scene.page.getByRole('button', { name: /^Reconnect/ }).click();
    await scene.page.getByRole('heading', { name: '1 stuck script blocks' }).waitFor();
  });
});

describe('numbers', () => {
  it('are counted to the same moment in list, detail and dialog', async () => {
    const world = stuckWorld();
    world.change(stuck, { lastOutputAt: ago(17 * minute + 59_500) });
    await using scene = await open(world, { viewport: { width: 1920, height: 900 } });
    await detailOf(scene.page, 'Deploy web-eu');
    const shown = await row(scene.page, stuck).locator('.with-more').first().textContent();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await row(scene.page, stuck).locator('.with-more').first().textContent()).toBe(shown);
    // A finished script has no age of its last output.
    expect(await row(scene.page, 'done-1').locator('.with-more').first().textContent()).toBe('');
  });
});

describe('a filter without hits', () => {
  it('leaves no verbs of a script that is not in the list', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('/');
    await scene.page.keyboard.type('zzz');
    await scene.page.getByText('No script selected').waitFor();
    expect(await scene.page.locator('[data-verb]').count()).toBe(0);
  });
});

describe('columns', () => {
  it('sort by any of them, and go back to what needs attention first', async () => {
    await using scene = await open(stuckWorld());
    const first = (): Promise<string | null> =>
      scene.page.locator('.row[aria-rowindex="2"]').first().getAttribute('data-ticket');
    const head = scene.page.getByRole('columnheader', { name: /^Script/ });
    await head.getByRole('button').click();
    await expect.poll(first).toBe('orphan-1');
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    await head.getByRole('button').click();
    await expect.poll(first).toBe('failed-1');
    await head.getByRole('button').click();
    await expect.poll(first).toBe(stuck);
  });
});

describe('a person without the right', () => {
  it('sees the verbs in their place, and who may use them', async () => {
    const world = stuckWorld();
    const refusal = 'You are a viewer on this host; this takes an operator: CONTOSO\\oncall, and administrators.';
    const refused = { 'scripts.cancel': refusal, 'scripts.kill': refusal, 'scripts.abandon': refusal };
    world.host = { you: { user: 'CONTOSO\\sam', role: 'viewer', refused } };
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.locator('.host', { hasText: 'viewer' }).waitFor();
    await scene.page.locator('.help', { hasText: refusal }).waitFor();
    expect(await verb(scene.page, 'cancel').getAttribute('aria-disabled')).toBe('true');
    await scene.page.keyboard.press('Delete');
    await scene.page.locator('.notice', { hasText: 'CONTOSO\\oncall' }).waitFor();
    expect(await dialog(scene.page).count()).toBe(0);
    expect(scene.host.commands()).toEqual([]);
  });
});

describe('the history', () => {
  it('calls a breach of isolation by its name', async () => {
    const world = stuckWorld();
    const entry = world.history[0]!;
    world.history = [{ ...entry, id: 9, kind: 'note', code: 'W222', text: 'NOT isolated from PID 5120.' }];
    await using scene = await open(world);
    await scene.page.keyboard.press('Control+3');
    await scene.page.getByRole('row', { name: /Not isolated/ }).waitFor();
  });
});

describe('errors in a log', () => {
  it('are walked with E: standard error, error words, and commands of a build', async () => {
    const world = stuckWorld();
    const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => ({
      stream,
      at: ago(1_000),
      code: null,
      text,
    });
    world.logs.set(
      stuck,
      sequenced([
        line('::group::Compile'),
        ...Array.from({ length: 200 }, (_, n) => line(`compiling ${n}`)),
        line('::error file=a.ts::Type mismatch'),
        ...Array.from({ length: 200 }, (_, n) => line(`linking ${n}`)),
        line('at a', 'stderr'),
        line('at b', 'stderr'),
        line('done'),
      ]),
    );
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Shift+L');
    await scene.page.locator('[role=log] [data-seq]').first().waitFor();
    await scene.page.keyboard.press('e');
    await scene.page.locator('.current', { hasText: 'Type mismatch' }).waitFor();
    await scene.page.getByText('error 1 of 2').waitFor();
    await scene.page.keyboard.press('e');
    await scene.page.locator('.current', { hasText: 'at a' }).waitFor();
    await scene.page.keyboard.press('Shift+E');
    await scene.page.locator('.current', { hasText: 'Type mismatch' }).waitFor();
  });
});

describe('the fire drill', () => {
  it('shows how long it took when the mutex is free', async () => {
    const begun = Date.now() - 100_000;
    const after = (s: number): string => new Date(begun + s * 1_000).toISOString();
    const world = stuckWorld();
    world.change(stuck, {
      ...cancelIgnored,
      mutex: 'fire drill',
      startedAt: after(0),
      attempts: [{ ...cancelIgnored.attempts[0]!, at: after(40) }],
    });
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    expect(await scene.page.getByText(/^Fire drill: first step/).count()).toBe(0);
    scene.host.push((now) => now.change(stuck, { state: 'final', holdsMutex: false, endedAt: after(71) }));
    await scene.page.getByText('Fire drill: first step after 40 s, freed after 1 min 11 s with Cancel.').waitFor();
  });

  it('is reachable from the help, also on a host with scripts', async () => {
    await using scene = await open(stuckWorld());
    scene.host.answers.set('drill.start', () => ({
      mutex: 'fire drill',
      hung: scene.host.world.snapshot().scripts[0],
      waiting: [],
      endsBy: new Date().toISOString(),
    }));
    await scene.page.keyboard.press('F1');
    await ready(scene.page);
    await dialog(scene.page).getByRole('button', { name: 'Start a fire drill' }).click();
    await scene.page.locator('.toast', { hasText: 'Cancel first, then Force Kill' }).waitFor();
    expect(scene.host.commands().map(({ method }) => method)).toEqual(['drill.start']);
    expect(await focused(scene.page)).not.toBe('');
  });
});
