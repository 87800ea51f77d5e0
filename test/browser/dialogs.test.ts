import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, focused, ready, row, verb, type Scene } from '../support/browser-console.ts';
import { refuse } from '../support/browser-host.ts';
import { cancelIgnored, removedFromQueue, unkillable } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import type { World } from '../support/browser-worlds.ts';
import { listView, script } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const name = 'Deploy web-eu / step 4';

const neutral = { severity: 'neutral', icon: 'killing', next: 'none' } as const;
const killing = { ...neutral, key: 'killing', label: 'Killing, 0 of 3', headline: 'Ending 3 processes; 0 are gone.' } as const; // prettier-ignore
const killed = { ...neutral, key: 'killed', label: 'Killed', headline: 'Killed by CONTOSO\\kim after running 52 min.' } as const; // prettier-ignore

async function at(state: object = {}, settings: World['settings'] = {}): Promise<Scene> {
  const world = stuckWorld();
  world.settings = settings;
  if (Object.keys(state).length > 0) world.change(stuck, state);
  const scene = await open(world);
  await detailOf(scene.page, name);
  await expect.poll(() => focused(scene.page)).toBe(stuck);
  return scene;
}

describe('Cancel', () => {
  it('takes Del and Enter, and is aimed at what was on screen', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    expect(await focused(scene.page)).toBe('Cancel script');
    await scene.page.keyboard.press('Enter');
    await expect
      .poll(() => scene.host.commands())
      .toEqual([
        {
          method: 'scripts.cancel',
          input: {
            ticket: stuck,
            version: 7,
            process: { pid: 7312, startTime: 't7312' },
            escalate: false,
            graceMs: 30_000,
          },
        },
      ]);
    await expect.poll(() => focused(scene.page)).toBe(stuck);
  });

  it('says what happens, what does not, and who starts next', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    const text = (await dialog(scene.page).textContent()) ?? '';
    for (const part of [
      'PID 7312 (powershell.exe)',
      'Ctrl+Break',
      '30 s to exit',
      'until all 3 processes have gone',
      'Next in line: "Deploy api-eu / step 1"',
    ])
      expect(text).toContain(part);
    expect(await dialog(scene.page).getAttribute('role')).toBe('alertdialog');
  });

  it('of a waiting script removes it from the queue', async () => {
    await using scene = await at();
    await row(scene.page, 'a1').click();
    await detailOf(scene.page, 'Deploy api-eu');
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    expect(await dialog(scene.page).locator('h2').textContent()).toBe(
      'Remove "Deploy api-eu / step 1" from the queue?',
    );
    await dialog(scene.page).getByRole('button', { name: 'Remove from queue' }).click();
    await expect.poll(() => scene.host.commands().length).toBe(1);
    expect(scene.host.commands()[0]?.input).not.toHaveProperty('process');
  });

  it('ignores Enter within the first 500 ms and a held Enter or Del', async () => {
    await using scene = await at();
    // Time stands still, so that the first Enter falls into the 500 ms on any machine.
    await scene.page.clock.install();
    await scene.page.clock.pauseAt(Date.now() + 10_000);
    for (let n = 0; n < 30; n += 1) await scene.page.keyboard.down('Delete');
    for (let n = 0; n < 30; n += 1) await scene.page.keyboard.down('Enter');
    expect(await dialog(scene.page).getAttribute('data-guarded')).toBe('true');
    await scene.page.clock.runFor(600);
    await ready(scene.page);
    for (let n = 0; n < 30; n += 1) await scene.page.keyboard.down('Enter');
    await scene.page.keyboard.up('Enter');
    expect(await dialog(scene.page).count()).toBe(1);
    expect(scene.host.commands()).toEqual([]);
  });

  it('ignores the second click of a double click on its button', async () => {
    await using scene = await at();
    await verb(scene.page, 'cancel').dblclick();
    await dialog(scene.page).getByRole('button', { name: 'Cancel script' }).click();
    expect(scene.host.commands()).toEqual([]);
    await ready(scene.page);
    await scene.page.keyboard.press('Escape');
    await dialog(scene.page).waitFor({ state: 'detached' });
    expect(scene.host.commands()).toEqual([]);
  });
});

describe('a script that was removed from its queue', () => {
  async function atRemoved(): Promise<Scene> {
    const scene = await at();
    scene.host.push((world) => world.change('a1', removedFromQueue));
    await row(scene.page, 'a1').click();
    await scene.page.getByText('It has not run').waitFor();
    return scene;
  }

  it('starts again only when a person says so, and the question says what is not the same', async () => {
    await using scene = await atRemoved();
    await scene.page.getByRole('button', { name: 'Start it again…' }).click();
    await ready(scene.page);
    const text = await dialog(scene.page).textContent();
    for (const part of ['to the end of the queue of "RunningScript", where 3 scripts are waiting now', 'are not kept'])
      expect(text).toContain(part);
    expect(await focused(scene.page)).toBe('Go back Esc');
    await scene.page.keyboard.press('Enter');
    await dialog(scene.page).waitFor({ state: 'detached' });
    expect(scene.host.commands()).toEqual([]);
  });

  it('is started as a new one with the same command, isolation and limits', async () => {
    await using scene = await atRemoved();
    scene.host.answers.set('scripts.start', () =>
      listView(script({ ticket: 'new-1', name: 'Deploy api-eu / step 1' })),
    );
    await scene.page.getByRole('button', { name: 'Start it again…' }).click();
    await ready(scene.page);
    await dialog(scene.page).getByRole('button', { name: 'Start it again' }).click();
    await expect
      .poll(() => scene.host.commands())
      .toEqual([
        {
          method: 'scripts.start',
          input: {
            name: 'Deploy api-eu / step 1',
            command: ['powershell.exe', '-File', 'deploy.ps1'],
            cwd: 'D:\\Work',
            cancelSignal: 'ctrl-break',
            graceMs: 10_000,
            isolation: { level: 'full', mutex: 'RunningScript', timeoutMs: 3_600_000 },
            timeoutMs: 600_000,
          },
        },
      ]);
  });

  it('says beside it why it could not be started again', async () => {
    await using scene = await atRemoved();
    scene.host.answers.set('scripts.start', () =>
      refuse({
        code: 'folder-not-found',
        message: 'The working folder "D:\\Work" does not exist.',
        next: 'Create it.',
      }),
    );
    await scene.page.getByRole('button', { name: 'Start it again…' }).click();
    await ready(scene.page);
    await dialog(scene.page).getByRole('button', { name: 'Start it again' }).click();
    await scene.page.locator('.notice', { hasText: 'does not exist' }).waitFor();
  });

  it('says so when its file cannot be loaded, and can be asked for again', async () => {
    await using scene = await atRemoved();
    await scene.page.route('**/StartAgainDialog-*.js', (route) => route.abort());
    for (let time = 0; time < 2; time += 1) {
      await scene.page.getByRole('button', { name: 'Start it again…' }).click();
      await scene.page.locator('.toast', { hasText: 'This part could not be loaded. Reload the page.' }).waitFor();
      await scene.page.locator('.toast').waitFor({ state: 'detached' });
    }
  });
});

describe('Force Kill', () => {
  it('has the focus on Go back: Enter Enter ends nothing', async () => {
    await using scene = await at(cancelIgnored);
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    expect(await focused(scene.page)).toBe('Go back Esc');
    await scene.page.keyboard.press('Enter');
    await dialog(scene.page).waitFor({ state: 'detached' });
    await scene.page.keyboard.press('Enter');
    expect(scene.host.commands()).toEqual([]);
  });

  it('takes three keys: Shift+Del, Tab, Enter', async () => {
    await using scene = await at(cancelIgnored);
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    await scene.page.keyboard.press('Tab');
    expect(await focused(scene.page)).toBe('End 3 processes');
    await scene.page.keyboard.press('Enter');
    await expect
      .poll(() => scene.host.commands())
      .toEqual([
        { method: 'scripts.kill', input: { ticket: stuck, version: 8, process: { pid: 7312, startTime: 't7312' } } },
      ]);
  });

  it.each([
    ['that everything is gone', { state: 'final', condition: killed }, 'Killed by CONTOSO\\kim after running 52 min.'],
    ['what lives on and why', unkillable, 'PID 8444, but it still exists: a thread waits inside a kernel call.'],
  ] as const)('says %s when that is proven, and nothing before', async (_what, outcome, said) => {
    await using scene = await at(cancelIgnored);
    const { page, host } = scene;
    host.answers.set('scripts.kill', () => {
      host.world.change(stuck, { condition: killing });
      return listView(host.world.scripts.get(stuck)!);
    });
    await page.keyboard.press('Shift+Delete');
    await ready(page);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => host.commands().length).toBe(1);
    host.push();
    await row(page, stuck).filter({ hasText: 'Killing' }).waitFor();
    const toast = page.locator('.toast');
    expect(await toast.count()).toBe(0);
    host.push((world) => world.change(stuck, outcome));
    await toast.filter({ hasText: `Force Kill of ${name}: ` }).waitFor();
    expect(await toast.textContent()).toContain(said);
  });

  it('lists every process that it ends', async () => {
    await using scene = await at(cancelIgnored);
    await scene.page.keyboard.press('Shift+Delete');
    const text = (await dialog(scene.page).textContent()) ?? '';
    for (const part of [
      '7312 powershell.exe',
      '8120 conhost.exe',
      '8444 robocopy.exe',
      'No clean-up runs',
      'was ignored',
    ])
      expect(text).toContain(part);
  });

  it('of a script that looks fine also asks for the pid', async () => {
    await using scene = await at();
    await row(scene.page, 'health').click();
    await detailOf(scene.page, 'Health check');
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    await dialog(scene.page).getByRole('button', { name: 'End 1 process' }).click({ force: true });
    expect(scene.host.commands()).toEqual([]);
    await dialog(scene.page)
      .getByLabel(/Type the PID/)
      .fill('9044');
    await dialog(scene.page).getByRole('button', { name: 'End 1 process' }).click();
    await expect.poll(() => scene.host.commands().length).toBe(1);
  });
});

describe.each([
  ['Force Kill', 'Shift+Delete'],
  ['Abandon', 'Control+Shift+Delete'],
] as const)('%s', (_, key) => {
  it.each([true, false])('says that evidence is saved first when the host does that: %s', async (evidenceBeforeEnd) => {
    await using scene = await at(unkillable, { evidenceBeforeEnd });
    await scene.page.keyboard.press(key);
    await ready(scene.page);
    const text = (await dialog(scene.page).textContent()) ?? '';
    expect(text.includes('Evidence is saved first, which takes 2 s at most.')).toBe(evidenceBeforeEnd);
  });
});

describe('Abandon', () => {
  it('does nothing for an empty or a wrong pid, and says so', async () => {
    await using scene = await at(unkillable);
    await scene.page.keyboard.press('Control+Shift+Delete');
    await ready(scene.page);
    await scene.page.keyboard.press('Enter');
    await dialog(scene.page).getByText('Type the PID (7312) first.').waitFor();
    await scene.page.keyboard.type('7321');
    await scene.page.keyboard.press('Enter');
    await dialog(scene.page).getByText("7321 is not this script's PID (7312).").waitFor();
    await dialog(scene.page).getByRole('button', { name: 'Abandon', exact: true }).click({ force: true });
    expect(scene.host.commands()).toEqual([]);
  });

  it('takes the typed pid, a reason and the held queue', async () => {
    await using scene = await at(unkillable);
    await scene.page.keyboard.press('Control+Shift+Delete');
    await ready(scene.page);
    await scene.page.keyboard.type('7312');
    await dialog(scene.page)
      .getByLabel(/Reason/)
      .fill('INC-4471');
    await dialog(scene.page).getByRole('checkbox').check();
    await dialog(scene.page).getByText('stays in the queue until you resume the mutex').waitFor();
    await dialog(scene.page).getByRole('button', { name: 'Abandon', exact: true }).click();
    await expect
      .poll(() => scene.host.commands())
      .toEqual([
        {
          method: 'scripts.abandon',
          input: {
            ticket: stuck,
            version: 8,
            process: { pid: 7312, startTime: 't7312' },
            reason: 'INC-4471',
            holdQueue: true,
            confirmPid: 7312,
          },
        },
      ]);
  });

  it('takes two keys and the digits: Ctrl+Shift+Del, pid, Enter', async () => {
    await using scene = await at(unkillable);
    await scene.page.keyboard.press('Control+Shift+Delete');
    await ready(scene.page);
    await scene.page.keyboard.type('7312');
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands().length).toBe(1);
  });

  it('is honest: nothing is ended, output is still recorded, both may work on the same things', async () => {
    await using scene = await at(unkillable);
    await scene.page.keyboard.press('Control+Shift+Delete');
    const text = (await dialog(scene.page).textContent()) ?? '';
    for (const part of [
      'Nothing is ended.',
      'Its output is recorded until it exits',
      'starts at once',
      'cannot be undone',
      'Force Kill failed: PID 8444',
    ])
      expect(text).toContain(part);
  });

  it('that is not possible yet opens no dialog and says why beside the verb', async () => {
    await using scene = await at();
    expect(await verb(scene.page, 'abandon').getAttribute('aria-disabled')).toBe('true');
    await scene.page.keyboard.press('Control+Shift+Delete');
    await scene.page.getByText('Abandon is not possible now.').first().waitFor();
    expect(await dialog(scene.page).count()).toBe(0);
  });
});

describe('every dialog', () => {
  it('takes its button away when the script exits by itself', async () => {
    await using scene = await at(cancelIgnored);
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    scene.host.push((world) => world.change(stuck, { state: 'final', verdict: 'exited', exitCode: 0 }));
    await dialog(scene.page).getByText('PID 7312 exited by itself. There is nothing to end.').waitFor();
    expect(await dialog(scene.page).getByRole('button').allTextContents()).toEqual(['Go back Esc']);
  });

  it('takes its button away when the pid belongs to another process', async () => {
    await using scene = await at(cancelIgnored);
    await scene.page.keyboard.press('Shift+Delete');
    scene.host.push((world) =>
      world.change(stuck, {
        process: { pid: 7312, startTime: 'later', startedAt: new Date().toISOString(), name: 'notepad.exe' },
      }),
    );
    await dialog(scene.page).getByText('PID 7312 has exited.').waitFor();
    expect(await dialog(scene.page).getByRole('button', { name: /End/ }).count()).toBe(0);
  });

  it('takes its button away when the host is lost', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    scene.host.goDown();
    await dialog(scene.page).getByText('Unjam is unreachable.').waitFor();
    expect(await dialog(scene.page).getByRole('button', { name: 'Cancel script' }).count()).toBe(0);
  });

  it('listens again only 500 ms after its subject has changed', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    scene.host.push((world) => world.change(stuck, cancelIgnored));
    await scene.page.locator('dialog[open][data-guarded=true]').waitFor();
    await scene.page.keyboard.press('Enter');
    expect(scene.host.commands()).toEqual([]);
    await ready(scene.page);
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands()[0]?.input['version']).toBe(8);
  });

  it('goes on listening while snapshots come in which nothing has changed for it', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    await scene.page.evaluate(() => {
      const shown = document.querySelector('dialog[open]')!;
      new MutationObserver(() => shown.setAttribute('data-was-guarded', '')).observe(shown, {
        attributeFilter: ['data-guarded'],
      });
    });
    scene.host.push((world) => world.add(script({ ticket: 'another', name: 'Another' })));
    await row(scene.page, 'another').waitFor({ state: 'attached' });
    expect(await dialog(scene.page).getAttribute('data-was-guarded')).toBeNull();
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands().length).toBe(1);
  });

  it('returns the focus to the row', async () => {
    await using scene = await at();
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    await scene.page.keyboard.press('Escape');
    await expect.poll(() => focused(scene.page)).toBe(stuck);
  });

  it('shows a refusal beside the verbs of that script until it is dismissed', async () => {
    await using scene = await at();
    scene.host.answers.set('scripts.cancel', () =>
      refuse({
        code: 'stale-version',
        message: `"${name}" has changed since you looked.`,
        next: 'Look at it again, then decide.',
      }),
    );
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    await scene.page.keyboard.press('Enter');
    const notice = scene.page.locator('.notice');
    await notice.waitFor();
    expect(await notice.textContent()).toContain('has changed since you looked. Look at it again, then decide.');
    await row(scene.page, 'a1').click();
    await notice.waitFor({ state: 'detached' });
    await row(scene.page, stuck).click();
    await notice.waitFor();
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
  });
});
