import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, focused, order, row, rows } from '../support/browser-console.ts';
import { cancelIgnored } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { listView, manyScripts, script, World } from '../support/browser-worlds.ts';

const open = consoleSpecs();

describe('the list', () => {
  it('says in its first line what is stuck and what it blocks, and so does the window title', async () => {
    await using scene = await open(stuckWorld());
    expect(await scene.page.locator('h1').textContent()).toBe('1 stuck script blocks 3 scripts on "RunningScript"');
    expect(await scene.page.title()).toBe('1 stuck, blocks 3 - Unjam');
  });

  it('puts the worst script first, selects it and has the keys on it', async () => {
    await using scene = await open(stuckWorld());
    expect(await order(scene.page)).toEqual([
      '9f2c-41aa',
      'orphan-1',
      'a1',
      'a2',
      'a3',
      'health',
      'done-1',
      'failed-1',
    ]);
    await expect.poll(() => focused(scene.page)).toBe('9f2c-41aa');
    expect(await row(scene.page, '9f2c-41aa').getAttribute('aria-selected')).toBe('true');
  });

  it('names state, blocks, script and pid of a row for screen readers', async () => {
    await using scene = await open(stuckWorld());
    expect(await row(scene.page, '9f2c-41aa').getAttribute('aria-label')).toBe(
      'Stuck: silent 47 min, blocks 3, Deploy web-eu / step 4, PID 7312, mutex RunningScript',
    );
  });

  it('is walked with the arrow keys, End and Home, and the detail follows', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('ArrowDown');
    await detailOf(scene.page, 'Backup sql-02');
    await scene.page.keyboard.press('End');
    await detailOf(scene.page, 'Import price list');
    await scene.page.keyboard.press('Home');
    await detailOf(scene.page, 'Deploy web-eu / step 4');
    expect(await focused(scene.page)).toBe('9f2c-41aa');
  });

  it('goes with Enter to the detail and with Esc back to the row', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Enter');
    await expect
      .poll(() => scene.page.evaluate(() => document.activeElement?.getAttribute('data-part')))
      .toBe('detail');
    await scene.page.keyboard.press('Escape');
    await expect.poll(() => focused(scene.page)).toBe('9f2c-41aa');
  });

  it('jumps with B from a waiter to the script that blocks it', async () => {
    await using scene = await open(stuckWorld());
    await row(scene.page, 'a2').click();
    await scene.page.keyboard.press('b');
    await expect.poll(() => focused(scene.page)).toBe('9f2c-41aa');
  });

  it('walks with N through what needs attention', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('n');
    await expect.poll(() => focused(scene.page)).toBe('orphan-1');
    await scene.page.keyboard.press('Shift+N');
    await expect.poll(() => focused(scene.page)).toBe('9f2c-41aa');
  });

  it('moves no row while the focus is in it, counts the changes and sorts with S', async () => {
    await using scene = await open(stuckWorld());
    const before = await order(scene.page);
    scene.host.push((world) => {
      world.change('health', {
        blocks: 9,
        stuck: true,
        condition: { ...cancelIgnored.condition, label: 'Stuck: silent 11 min' },
      });
      world.add(script({ ticket: 'fresh', name: 'Just started' }));
    });
    await row(scene.page, 'fresh').waitFor();
    expect(await order(scene.page)).toEqual([...before, 'fresh']);
    const pill = scene.page.getByRole('button', { name: /2 changes, sort again/ });
    await pill.waitFor();
    await scene.page.keyboard.press('s');
    await pill.waitFor({ state: 'detached' });
    expect((await order(scene.page))[0]).toBe('health');
    expect(await focused(scene.page)).toBe('9f2c-41aa');
  });

  it('moves no row while the pointer is over it, and sorts by itself when it has left', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.locator('.filter .chip').first().focus();
    await row(scene.page, 'a3').hover();
    const before = await order(scene.page);
    scene.host.push((world) => world.change('health', { stuck: true, condition: { ...cancelIgnored.condition } }));
    await scene.page.getByRole('button', { name: /1 change, sort again/ }).waitFor();
    expect(await order(scene.page)).toEqual(before);
    await scene.page.mouse.move(1000, 400);
    await expect.poll(async () => (await order(scene.page)).indexOf('health')).toBeLessThan(2);
  });

  it('keeps the place of a row whose script is gone, until it is sorted again', async () => {
    await using scene = await open(stuckWorld());
    const before = await order(scene.page);
    scene.host.push((world) => world.scripts.delete('health'));
    await row(scene.page, 'health').filter({ hasText: 'Removed' }).waitFor();
    expect(await order(scene.page)).toEqual(before);
  });

  it('keeps focus and selection through a hundred refreshes', async () => {
    await using scene = await open(stuckWorld());
    await row(scene.page, 'a2').click();
    const handle = await row(scene.page, 'a2').elementHandle();
    for (let n = 0; n < 100; n += 1)
      scene.host.push((world) =>
        world.change('a2', { condition: { ...world.scripts.get('a2')!.condition, label: `Blocked ${n} min` } }),
      );
    await row(scene.page, 'a2').filter({ hasText: 'Blocked 99 min' }).waitFor();
    expect(await focused(scene.page)).toBe('a2');
    expect(await handle?.evaluate((element) => element.isConnected && element === document.activeElement)).toBe(true);
  });

  it('filters by group and by text, and says when nothing matches', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.getByRole('button', { name: 'Waiting 3' }).click();
    expect(await order(scene.page)).toEqual(['a1', 'a2', 'a3']);
    await scene.page.getByRole('button', { name: 'All 8' }).click();
    await scene.page.keyboard.press('/');
    await scene.page.keyboard.type('sql');
    await expect.poll(() => order(scene.page)).toEqual(['orphan-1']);
    await scene.page.keyboard.type('zzz');
    await scene.page.getByText('No script matches').waitFor();
    await scene.page.getByRole('button', { name: 'Clear filter' }).click();
    await expect.poll(() => rows(scene.page).count()).toBe(8);
  });

  it('leaves Del to the text in the filter box', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('/');
    await scene.page.keyboard.type('web');
    await scene.page.keyboard.press('Home');
    await scene.page.keyboard.press('Delete');
    await expect.poll(() => scene.page.getByRole('searchbox').inputValue()).toBe('eb');
    expect(await dialog(scene.page).count()).toBe(0);
  });

  it('draws only what is on screen of a thousand scripts, and reaches the last one', async () => {
    await using scene = await open(manyScripts(1_000));
    expect(await rows(scene.page).count()).toBeLessThan(80);
    expect(await scene.page.getByRole('grid').getAttribute('aria-rowcount')).toBe('1001');
    await scene.page.keyboard.press('End');
    await expect.poll(() => focused(scene.page)).toBe('t999');
    expect(await row(scene.page, 't999').getAttribute('aria-rowindex')).toBe('1001');
  });

  it('keeps the focused row in the page when it is scrolled out', async () => {
    await using scene = await open(manyScripts(1_000));
    await expect.poll(() => focused(scene.page)).toBe('t0');
    await scene.page.getByRole('grid').evaluate((grid) => (grid.scrollTop = 20_000));
    await row(scene.page, 't560').waitFor({ state: 'attached' });
    expect(await focused(scene.page)).toBe('t0');
  });

  it('shows names that try to turn the reading order around', async () => {
    await using scene = await open(
      new World().add(script({ ticket: 'evil', name: 'Deploy \u202egnp.exe <b>bold</b>' })),
    );
    expect(await row(scene.page, 'evil').locator('.name').textContent()).toBe(
      'Deploy \u27e8RLO\u27e9gnp.exe <b>bold</b>',
    );
  });

  it('tells an empty host from one that is not reachable, and shows how to begin', async () => {
    await using scene = await open(new World(), { waitFor: 'text=No scripts yet on WEB-EU-07' });
    expect(await scene.page.getByText('unjam run --mutex demo').count()).toBe(1);
  });

  it('runs the sample on an empty host', async () => {
    await using scene = await open(new World(), { waitFor: 'text=No scripts yet on WEB-EU-07' });
    scene.host.answers.set('scripts.start', (input) => {
      scene.host.push((world) => world.add(script({ ticket: 'sample-1', name: String(input['name']) })));
      return listView(scene.host.world.scripts.get('sample-1')!);
    });
    await scene.page.getByRole('button', { name: 'Run the sample', disabled: false }).click();
    await row(scene.page, 'sample-1').waitFor();
    expect(scene.host.commands()[0]?.input['isolation']).toEqual({ level: 'full', mutex: 'demo' });
  });

  it('copies what an incident needs, as text', async () => {
    await using scene = await open(stuckWorld(), { permissions: ['clipboard-read', 'clipboard-write'] });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Control+Shift+C');
    await scene.page.getByRole('alert').filter({ hasText: 'Incident summary copied.' }).waitFor({ state: 'attached' });
    const text = await scene.page.evaluate(() => navigator.clipboard.readText());
    for (const part of [
      'Deploy web-eu / step 4 on WEB-EU-07',
      'Ticket: 9f2c-41aa',
      '- No output for 47 min 12 s (limit 10 min).',
      '1. Deploy api-eu / step 1',
      '8444 robocopy.exe: waits in kernel',
    ])
      expect(text).toContain(part);
  });

  it('cancels many at once after one question', async () => {
    await using scene = await open(stuckWorld());
    await row(scene.page, 'a1').click();
    await scene.page.keyboard.press('Shift+ArrowDown');
    await scene.page.keyboard.press('Shift+ArrowDown');
    await scene.page.keyboard.press('Delete');
    await scene.page.locator('dialog[open][data-guarded=false]').waitFor();
    expect(await dialog(scene.page).locator('h2').textContent()).toBe('Cancel 3 scripts?');
    await dialog(scene.page).getByRole('button', { name: 'Cancel 3 scripts' }).click();
    await expect
      .poll(() =>
        scene.host
          .commands()
          .map((call) => call.input['ticket'])
          .sort(),
      )
      .toEqual(['a1', 'a2', 'a3']);
  });
});
