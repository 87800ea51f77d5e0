import { describe, expect, it } from 'vitest';
import type { Method } from '../../app/contract/methods.ts';
import { consoleSpecs, detailOf, dialog, focused, ready, verb } from '../support/browser-console.ts';
import { refuse } from '../support/browser-host.ts';
import { standInBridge } from '../support/browser-bridge.ts';
import { cancelIgnored, dpkgLocked, threeHosts } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago } from '../support/browser-worlds.ts';

const open = consoleSpecs();

describe('the mutex view', () => {
  it('opens with M and shows holder, queue in order and why each one waits', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('m');
    await scene.page.getByRole('heading', { name: 'RunningScript', exact: true }).waitFor();
    const text = (await scene.page.locator('main').textContent()) ?? '';
    expect(text).toContain(
      'Held exclusively (Full isolation) by 1 script; 3 scripts are waiting. First in, first out.',
    );
    expect(text).toContain(
      'Shared: could run beside other shared scripts, but waits behind no. 1, which is exclusive.',
    );
    expect(text.indexOf('Deploy api-eu')).toBeLessThan(text.indexOf('DB migrate'));
  });

  it('shows a paused queue and its orphan, and resumes it', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+2');
    await scene.page.getByRole('button', { name: /Backup/ }).click();
    await scene.page.getByText('Paused by CONTOSO\\kim.').waitFor();
    await scene.page.getByText('PID 5120 is still running.').waitFor();
    await scene.page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => scene.host.commands()).toEqual([{ method: 'locks.resume', input: { name: 'Backup' } }]);
  });

  it('shows who waits for each other over several mutexes, and a holder that Unjam does not supervise', async () => {
    const world = stuckWorld();
    const loop = 'If each waits for what it has started, they wait for each other forever.';
    world.mutexes = world.mutexes.map((mutex) =>
      mutex.name === 'RunningScript'
        ? {
            ...mutex,
            deadlocks: [loop],
            holders: [0, 1, 2].map((n) => ({
              ticket: `shared-${n}`,
              name: `Shared ${n}`,
              pid: 9_000 + n,
              level: 'none' as const,
              since: ago(60_000),
              fence: 120,
              stuck: false,
              ...(n === 2 ? { unsupervised: true as const } : {}),
            })),
          }
        : mutex,
    );
    await using scene = await open(world, { hash: '#mutexes/RunningScript', waitFor: '#mutex-name' });
    await scene.page.getByText(`Deadlock: ${loop}`).waitFor();
    await scene.page.getByText('Held by (shared, 3)').waitFor();
    await scene.page.getByText('Held shared (None isolation) by 3 scripts; 3 scripts are waiting.').waitFor();
    const wrapper = scene.page.getByRole('listitem').filter({ hasText: 'Shared 2' });
    expect(await wrapper.textContent()).toContain('Unjam does not supervise it');
    expect(await wrapper.locator('code').textContent()).toBe('unjam abandon shared-2');
    expect(await wrapper.getByRole('button').count()).toBe(0);
  });

  it('says why a resume was refused', async () => {
    await using scene = await open(stuckWorld());
    scene.host.answers.set('locks.resume', () =>
      refuse({ code: 'not-paused', message: '"Backup" is not paused.', next: 'Nothing needs to be done.' }),
    );
    await scene.page.keyboard.press('Control+2');
    await scene.page.getByRole('button', { name: /Backup/ }).click();
    await scene.page.getByRole('button', { name: 'Resume' }).click();
    await scene.page.getByText('"Backup" is not paused. Nothing needs to be done.').waitFor();
  });

  it('shows locks of the machine under a heading of their own: who has one, who waits, and what frees it', async () => {
    await using scene = await open(stuckWorld());
    scene.host.answers.set('foreignLocks.list', () => dpkgLocked);
    await scene.page.keyboard.press('m');
    const section = scene.page.getByRole('region', { name: 'On this host, not Unjam’s' });
    await section.waitFor();
    expect((await section.textContent())?.replaceAll(/\s+/g, ' ')).toContain(
      'dpkg (frontend) /var/lib/dpkg/lock-frontend Held by dpkg (PID 7312) of Deploy web-eu / step 4 ShowDeploy web-eu / step 4 ' +
        'Probably waiting: apt-get (PID 812) of octo/shop / deploy (GitHub Actions runner) It is free when its holder has ended. Unjam never releases it.',
    );
    await section.getByRole('button', { name: 'Show' }).click();
    await detailOf(scene.page, 'Deploy web-eu');
  });

  it('leads to the script, and to its Cancel dialog', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('m');
    await scene.page.getByRole('button', { name: 'Cancel… Deploy web-eu / step 4' }).click();
    await ready(scene.page);
    expect(await dialog(scene.page).locator('h2').textContent()).toBe('Cancel "Deploy web-eu / step 4"?');
  });
});

describe('the hosts view', () => {
  it('is not there where this host has joined no fleet, and nothing asks for one', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+5');
    await scene.page.keyboard.press('m');
    await scene.page.getByRole('heading', { name: 'RunningScript', exact: true }).waitFor();
    expect(await scene.page.getByRole('button', { name: 'Hosts' }).count()).toBe(0);
    expect(scene.host.calls.filter(({ method }) => method === 'fleet.get')).toEqual([]);
  });

  it('shows each host, the worst first, with what it holds and how many wait; without the engine, as it was', async () => {
    const world = stuckWorld();
    world.host = { fleet: 'web-1' };
    await using scene = await open(world);
    const { page, host } = scene;
    host.answers.set('fleet.get', () => threeHosts);
    await page.keyboard.press('Control+5');
    const hosts = page.getByRole('region', { name: 'Hosts of the fleet' });
    await hosts.getByText('this host').waitFor();
    const told = async (): Promise<string[]> =>
      (await hosts.getByRole('listitem').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
    const time = String.raw`(?:\d+ \w+ )?\d\d:\d\d:\d\d`;
    for (const [n, text] of [
      `^web-2 Unreachable since ${time} \\(18 min\\) Holds web \\(fleet\\), 3 scripts waiting Holds db \\(fleet\\), nothing waits Unjam 0\\.1\\.0$`,
      `^web-1 this host Reachable last seen ${time} Holds nothing Unjam 0\\.1\\.0$`,
      `^web-3 Retired since ${time} \\(2 d 2 h\\): its disk died Holds nothing Unjam 0\\.0\\.9$`,
    ].entries())
      expect((await told())[n]).toMatch(new RegExp(text));
    const lookAgain = async (answer: () => unknown): Promise<void> => {
      host.answers.set('fleet.get', answer);
      await page.keyboard.press('Control+2');
      await page.keyboard.press('Control+5');
    };
    await lookAgain(() => ({ ...threeHosts, problem: 'The engine of the fleet cannot be reached: away.' }));
    await hosts.getByText(new RegExp(`Not known now. This is how it was at ${time}`)).waitFor();
    await hosts.getByText('The engine of the fleet cannot be reached: away.').waitFor();
    expect(await told()).toHaveLength(3);
    await lookAgain(() =>
      refuse({ code: 'fleet-not-joined', message: 'This host has joined no fleet.', next: 'Join one.' }),
    );
    await hosts.getByText('This host has joined no fleet. Join one.').waitFor();
    await lookAgain(() => threeHosts);
    await hosts.getByRole('button', { name: 'web (fleet)' }).click();
    await page.getByText('"web (fleet)" is not in use any more.').waitFor();
  });
});

describe('the history view', () => {
  it('shows who did what, and the evidence of that time', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+3');
    await scene.page.getByRole('row', { name: /Abandon/i }).click();
    const detail = scene.page.locator('section[aria-labelledby=entry-title]');
    expect(await detail.textContent()).toContain('NOTHING WAS ENDED');
    expect(await detail.textContent()).toContain('No output for 48 min.');
    expect(await detail.textContent()).toContain('INC-4471');
  });

  it('filters by action and by text', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+3');
    await scene.page.getByText('1-4 of 4').waitFor();
    await scene.page.getByLabel('What happened').selectOption('Force Kill');
    await scene.page.getByText('1-1 of 1 (of 4 in this time)').waitFor();
    await scene.page.getByLabel('What happened').selectOption('');
    await scene.page.getByRole('searchbox').fill('nobody');
    await scene.page.getByText('No entry matches the filter.').waitFor();
  });
});

describe('the window', () => {
  it('walks with F6 through its parts', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    const part = () =>
      scene.page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-part]')?.dataset['part']);
    const seen: (string | undefined)[] = [];
    for (let n = 0; n < 7; n += 1) {
      await scene.page.keyboard.press('F6');
      seen.push(await part());
    }
    expect(seen).toEqual(['detail', 'log', 'status', 'views', 'verdict', 'filter', 'list']);
  });

  it('explains its keys with F1', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('F1');
    await ready(scene.page);
    expect(await dialog(scene.page).textContent()).toContain('Ctrl+Shift+Del');
    await scene.page.keyboard.press('Escape');
    await expect.poll(() => focused(scene.page)).toBe('9f2c-41aa');
  });

  it('opens what its address says: a script, its log, a dialog', async () => {
    await using scene = await open(stuckWorld(), { hash: '#scripts/a2' });
    await detailOf(scene.page, 'Deploy web-us / step 1');
    await scene.page.evaluate(() => (location.hash = '#scripts/9f2c-41aa/cancel'));
    await ready(scene.page);
    expect(await dialog(scene.page).locator('h2').textContent()).toBe('Cancel "Deploy web-eu / step 4"?');
    expect(scene.host.commands()).toEqual([]);
  });

  it('announces a new stuck script once, and not that time goes by', async () => {
    const world = stuckWorld();
    world.change('9f2c-41aa', { stuck: false });
    await using scene = await open(world);
    const alert = scene.page.getByRole('alert');
    expect(await alert.textContent()).toBe('');
    scene.host.push((w) => w.change('9f2c-41aa', { stuck: true }));
    await alert
      .filter({ hasText: 'Deploy web-eu / step 4: Stuck: no output for 47 min' })
      .waitFor({ state: 'attached' });
  });
});

describe('the connection', () => {
  it('tells starting from offline and from empty', async () => {
    await using scene = await open(stuckWorld());
    scene.host.isSilent = true;
    await scene.page.reload({ waitUntil: 'commit' });
    await scene.page.getByRole('heading', { name: 'Connecting to Unjam…' }).waitFor();
    scene.host.push();
    await scene.page.getByRole('heading', { name: '1 stuck script blocks' }).waitFor();
  });

  it('that is lost greys what is old, switches the verbs off and comes back by itself', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    scene.host.goDown();
    await scene.page.getByRole('heading', { name: /Unjam has been unreachable since \d\d:\d\d:\d\d/ }).waitFor();
    expect(await scene.page.locator('[data-verb][aria-disabled=false]').count()).toBe(0);
    await scene.page.keyboard.press('Delete');
    expect(await dialog(scene.page).count()).toBe(0);
    scene.host.comeBack();
    await scene.page.getByRole('heading', { name: '1 stuck script blocks' }).waitFor();
    await expect.poll(() => scene.page.locator('[data-verb][aria-disabled=false]').count()).toBe(2);
  });

  it('that is refused says how to get in again', async () => {
    await using scene = await open(stuckWorld());
    scene.host.answers.set('overview.get', () =>
      refuse({ code: 'unauthorized', message: 'This page is not signed in.', next: 'Open the link again.' }),
    );
    await scene.page.keyboard.press('F5');
    await scene.page.getByRole('heading', { name: 'This page is not signed in.' }).waitFor();
    await scene.page.getByText('Open the link again.').waitFor();
  });
});

describe('in the desktop application', () => {
  it('talks over the bridge and opens what the tray asks for, and only that', async () => {
    await using scene = await open(stuckWorld(), { init: standInBridge });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.evaluate(() =>
      (window as unknown as { emit(event: string, payload: unknown): void }).emit('open', {
        view: 'script',
        ticket: '9f2c-41aa',
        dialog: 'kill',
      }),
    );
    await ready(scene.page);
    expect(await dialog(scene.page).locator('h2').textContent()).toBe('Force Kill "Deploy web-eu / step 4"?');
    expect(scene.host.commands()).toEqual([]);
    await scene.page.keyboard.press('Escape');
    await scene.page.evaluate(() =>
      (window as unknown as { emit(event: string, payload: unknown): void }).emit('open', {
        view: 'script',
        ticket: 'a1',
        dialog: 'log',
      }),
    );
    await scene.page.getByRole('heading', { name: 'Log: Deploy api-eu / step 1' }).waitFor();
  });

  it('keeps a decision that was begun when somebody only comes back to the window', async () => {
    const world = stuckWorld();
    world.change('9f2c-41aa', cancelIgnored);
    await using scene = await open(world, { init: standInBridge });
    const emit = (payload: unknown): Promise<void> =>
      scene.page.evaluate(
        (what) => (window as unknown as { emit(event: string, payload: unknown): void }).emit('open', what),
        payload,
      );
    await detailOf(scene.page, 'Deploy web-eu');
    await verb(scene.page, 'abandon').click();
    await ready(scene.page);
    await scene.page.keyboard.type('73');
    for (const request of [
      { view: 'script', ticket: '9f2c-41aa', dialog: null },
      { view: 'scripts' },
      { view: 'settings' },
    ])
      await emit(request);
    const field = dialog(scene.page).getByRole('textbox').first();
    expect(await field.inputValue()).toBe('73');
    await emit({ view: 'script', ticket: '9f2c-41aa', dialog: 'kill' });
    await dialog(scene.page).getByText('Force Kill "Deploy web-eu / step 4"?').waitFor();
    expect(scene.host.commands()).toEqual([]);
  });

  it('opens a log in this window when the host opens no other, and shows the settings of its toasts', async () => {
    await using scene = await open(stuckWorld(), { init: standInBridge });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('l');
    await scene.page.getByRole('heading', { name: 'Log: Deploy web-eu / step 4' }).waitFor();
    expect(scene.host.calls).toContainEqual({ method: 'window.openLog', input: { ticket: '9f2c-41aa' } });
    await scene.page.keyboard.press('Control+4');
    await scene.page.locator('[data-setting="notifications.orphanExited"]').getByRole('switch').click();
    await expect
      .poll(() => scene.host.commands())
      .toEqual([{ method: 'settings.set', input: { values: { 'notifications.orphanExited': true } } }]);
  });

  it('hands a log over to be saved by the host, and says what became of it', async () => {
    await using scene = await open(stuckWorld(), {
      init: standInBridge,
      hash: '#scripts/9f2c-41aa/log',
      waitFor: '.foot',
    });
    const { page, host } = scene;
    host.answers.set('window.saveLog' as Method, () => ({ file: 'step 4.log', bytes: 2_048 }));
    host.answers.set('window.saveText' as Method, () =>
      refuse({ code: 'not-possible', message: '"step 4.log" could not be written.', next: 'Choose another folder.' }),
    );
    const save = async (what: RegExp): Promise<void> => {
      await page.getByRole('button', { name: 'Save…' }).click();
      await page.getByRole('radio', { name: what }).check();
      await page.getByRole('button', { name: 'Save', exact: true }).click();
    };
    await save(/^raw/);
    await page.getByText('Saved 2.0 KB to step 4.log.').waitFor({ state: 'attached' });
    await save(/plain text, with Unjam/);
    await page.locator('form').getByText('Choose another folder.').waitFor();
    const asked = host.calls.filter(({ method }) => method.startsWith('window.'));
    expect(asked.map(({ input }) => input)).toEqual([
      { ticket: '9f2c-41aa' },
      { name: 'Deploy web-eu / step 4', kind: 'log', text: expect.stringContaining('Waiting 30 seconds') as string },
    ]);
  });
});
