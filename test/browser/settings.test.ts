import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, ready, row } from '../support/browser-console.ts';
import { standInBridge } from '../support/browser-bridge.ts';
import { refuse } from '../support/browser-host.ts';
import { cancelIgnored } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { listView, World } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const setting = (key: string): string => `[data-setting="${key}"]`;

async function openSettings(world: World = stuckWorld()) {
  const scene = await open(world);
  await scene.page.keyboard.press('Control+4');
  await scene.page.locator(setting('theme')).waitFor();
  return scene;
}

describe('the settings', () => {
  it('hold as soon as they are changed, and get their default again', async () => {
    await using scene = await openSettings();
    const silent = scene.page.locator(setting('silentAfterMinutes'));
    expect(await silent.getByRole('button').count()).toBe(0);
    await silent.getByRole('spinbutton').fill('25');
    await scene.page.keyboard.press('Enter');
    await silent.getByRole('button', { name: 'Reset to 10 min Silent after' }).click();
    await expect.poll(() => silent.getByRole('spinbutton').inputValue()).toBe('10');
    expect(scene.host.commands().map((call) => call.input)).toEqual([
      { values: { silentAfterMinutes: 25 } },
      { reset: ['silentAfterMinutes'] },
    ]);
  });

  it('refuse a number out of bounds beside the field, and keep the old one', async () => {
    await using scene = await openSettings();
    const silent = scene.page.locator(setting('silentAfterMinutes'));
    await silent.getByRole('spinbutton').fill('0');
    await scene.page.keyboard.press('Tab');
    await silent.getByText('Enter a number from 1 to 1440. It is still 10.').waitFor();
    const port = scene.page.locator(setting('metricsPort'));
    for (const [typed, why] of [
      ['65536', 'Enter a number from 0 to 65535. It is still 0.'],
      ['9464.5', 'Enter a whole number. It is still 0.'],
    ] as const) {
      await port.getByRole('spinbutton').fill(typed);
      await scene.page.keyboard.press('Tab');
      await port.getByText(why).waitFor();
    }
    expect(scene.host.commands()).toEqual([]);
    await port.getByRole('spinbutton').fill('9464');
    await scene.page.keyboard.press('Tab');
    await port.getByRole('button', { name: 'Reset to 0 Metrics on port' }).click();
    await expect
      .poll(() => scene.host.commands().map((call) => call.input))
      .toEqual([{ values: { metricsPort: 9464 } }, { reset: ['metricsPort'] }]);
  });

  it('hold rules for single scripts, which are added, changed and removed', async () => {
    await using scene = await openSettings();
    const rules = scene.page.locator(setting('scriptRules'));
    const added = (field: string) => rules.getByRole('textbox', { name: `New rule: ${field}` });
    await added('Script').fill('Backup *');
    await rules.getByRole('button', { name: 'Add' }).click();
    await rules.getByText('Enter at least one of the two limits.').waitFor();
    await added('Silent after, min').fill('1.5');
    await scene.page.keyboard.press('Enter');
    await rules.getByText('Silent after, min: enter a whole number from 1 to 1440, or nothing.').waitFor();
    expect(scene.host.commands()).toEqual([]);
    await added('Silent after, min').fill('120');
    await scene.page.keyboard.press('Enter');
    await rules.getByRole('textbox', { name: 'Rule 1: Overdue after, × usual' }).fill('5.5');
    await scene.page.keyboard.press('Tab');
    await expect.poll(() => scene.host.commands().length).toBe(2);
    expect(await added('Script').inputValue()).toBe('');
    const second = rules.getByRole('textbox', { name: 'Rule 1: Script' });
    await second.fill('');
    await scene.page.keyboard.press('Tab');
    await rules.getByText('Script: enter a name').waitFor();
    await rules.getByRole('button', { name: 'Remove Rule 1' }).click();
    await expect.poll(() => second.count()).toBe(0);
    expect(scene.host.commands().map(({ input }) => input)).toEqual([
      { values: { scriptRules: [{ name: 'Backup *', silentAfterMinutes: 120 }] } },
      { values: { scriptRules: [{ name: 'Backup *', silentAfterMinutes: 120, overdueFactor: 5.5 }] } },
      { values: { scriptRules: [] } },
    ]);
  });

  it('hold rules in an order: the first that fits wins, so each moves up and down, and the focus with it', async () => {
    const world = stuckWorld();
    const rule = (name: string) => ({ name, silentAfterMinutes: 5 });
    world.settings = { scriptRules: [rule('A'), rule('B'), rule('C')] };
    await using scene = await openSettings(world);
    const button = (name: string) =>
      scene.page.locator(setting('scriptRules')).getByRole('button', { name, exact: true });
    const hasFocus = (name: string) => button(name).evaluate((one) => one === document.activeElement);
    await button('Down Rule 1').focus();
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => hasFocus('Down Rule 2')).toBe(true);
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => hasFocus('Down Rule 3')).toBe(true);
    expect(await button('Down Rule 3').getAttribute('aria-disabled')).toBe('true');
    await scene.page.keyboard.press('Enter');
    await scene.page.getByRole('alert').filter({ hasText: 'A is rule 3 of 3 now.' }).waitFor({ state: 'attached' });
    await button('Up Rule 2').click();
    await expect.poll(() => hasFocus('Up Rule 1')).toBe(true);
    expect(await button('Up Rule 1').getAttribute('aria-disabled')).toBe('true');
    const orders = scene.host.commands().map(({ input }) => {
      const { scriptRules } = input['values'] as { scriptRules: readonly { name: string }[] };
      return scriptRules.map(({ name }) => name).join('');
    });
    expect(orders).toEqual(['BAC', 'BCA', 'CBA']);
  });

  it('that are rules of the administrator are shown and cannot be changed', async () => {
    const world = stuckWorld();
    world.policy = { scriptRules: [{ name: 'Deploy *', overdueFactor: 2 }] };
    await using scene = await openSettings(world);
    const rules = scene.page.locator(setting('scriptRules'));
    await rules.getByText('Set by your administrator (policy ScriptRules)').waitFor();
    const name = rules.getByRole('textbox', { name: 'Rule 1: Script' });
    expect([await name.inputValue(), await name.getAttribute('readonly')]).toEqual(['Deploy *', '']);
    await rules.getByRole('button', { name: 'Remove Rule 1' }).click({ force: true });
    expect(await rules.getByRole('button', { name: 'Add' }).count()).toBe(0);
    expect(scene.host.commands()).toEqual([]);
  });

  it('of the administrator are shown, locked, and say so in words', async () => {
    const world = stuckWorld();
    world.policy = { silentAfterMinutes: 3, disableForceKill: true, metricsPort: 9464 };
    await using scene = await openSettings(world);
    await scene.page.getByText('3 values are set by your administrator').waitFor();
    const port = scene.page.locator(setting('metricsPort'));
    expect(await port.textContent()).toContain('Set by your administrator (policy MetricsPort)');
    expect(await port.getByRole('spinbutton').getAttribute('readonly')).not.toBeNull();
    const silent = scene.page.locator(setting('silentAfterMinutes'));
    expect(await silent.textContent()).toContain('Set by your administrator (policy SilentAfterMinutes)');
    expect(await silent.getByRole('spinbutton').getAttribute('readonly')).not.toBeNull();
    const kill = scene.page.locator(setting('disableForceKill')).getByRole('switch');
    expect(await kill.isChecked()).toBe(true);
    await kill.click({ force: true });
    expect(await kill.isChecked()).toBe(true);
    expect(scene.host.commands()).toEqual([]);
  });

  it('change the theme of the page at once', async () => {
    await using scene = await openSettings();
    const background = () => scene.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await background()).toBe('rgb(243, 243, 243)');
    await scene.page.locator(setting('theme')).getByRole('combobox').selectOption('dark');
    await expect.poll(background).toBe('rgb(32, 32, 32)');
    await scene.page.keyboard.press('Control+1');
    await row(scene.page, '9f2c-41aa').waitFor();
    expect(await scene.page.evaluate(() => document.documentElement.scrollWidth)).toBe(1280);
  });

  it('show only what has an effect on this host and in this window', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+4');
    await scene.page.locator(setting('notifications.eventLog')).waitFor();
    await scene.page.locator(setting('keepHistoryDays')).waitFor();
    expect(await scene.page.locator(setting('notifications.stuck')).count()).toBe(0);
    expect(await scene.page.getByRole('button', { name: 'Send a test' }).count()).toBe(0);
  });

  it('of the desktop application send a test notification and say what came of it', async () => {
    await using scene = await open(stuckWorld(), { init: standInBridge });
    let text = 'The system has shown it.';
    scene.host.answers.set('window.testNotification' as never, () => ({ shown: false, text }));
    await scene.page.keyboard.press('Control+4');
    const test = scene.page.locator('[data-part="test-notification"]');
    await test.getByRole('button', { name: 'Send a test' }).click();
    await test.getByText('The system has shown it.').waitFor();
    text = 'These are quiet hours: no notification is shown now.';
    await test.getByRole('button', { name: 'Send a test' }).click();
    await test.getByText('These are quiet hours').waitFor();
    expect(scene.host.calls.filter(({ method }) => method === ('window.testNotification' as never))).toHaveLength(2);
  });

  it('of the desktop application start it at sign-in, where the system has that, and show what the system made of it', async () => {
    const world = stuckWorld();
    await using scene = await open(world, { init: standInBridge });
    await scene.page.keyboard.press('Control+4');
    await scene.page.locator(setting('theme')).waitFor();
    const box = scene.page.getByRole('switch', { name: 'Start when I sign in' });
    expect(await box.count()).toBe(0); // this host does not know the method
    let saved = false;
    let isAllowed = true;
    scene.host.answers.set('window.signIn' as never, ({ on }) => {
      if (typeof on === 'boolean') saved = on && isAllowed;
      return { on: saved };
    });
    await scene.page.reload();
    await scene.page.locator('footer', { hasText: 'Connected' }).waitFor();
    await scene.page.keyboard.press('Control+4');
    await box.waitFor();
    await box.check();
    expect(saved).toBe(true);
    await box.uncheck();
    isAllowed = false;
    await box.click();
    await scene.page.getByText('The setting was not accepted: it is off.').waitFor();
    expect(await box.isChecked()).toBe(false);
  });

  it('switch single letters off; Del and keys with Ctrl go on', async () => {
    const world = stuckWorld();
    world.settings = { singleLetterKeys: false };
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Shift+L');
    await scene.page.keyboard.press('m');
    await scene.page.keyboard.press('?');
    expect(await row(scene.page, '9f2c-41aa').count()).toBe(1);
    expect(await dialog(scene.page).count()).toBe(0);
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
  });

  it('that require a reason make each dialog ask for one', async () => {
    const world = stuckWorld();
    world.settings = { requireReason: true };
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    await scene.page.keyboard.press('Enter');
    await dialog(scene.page).getByText('Enter a reason first: this host requires one.').waitFor();
    expect(scene.host.commands()).toEqual([]);
    await scene.page.keyboard.type('INC-7');
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands()[0]?.input['reason']).toBe('INC-7');
  });

  it('ask for the pid before every Force Kill, and give Cancel its own time to exit', async () => {
    const world = stuckWorld();
    world.change('9f2c-41aa', cancelIgnored);
    world.settings = { killNeedsPid: true, cancelGraceSeconds: 90 };
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Shift+Delete');
    await ready(scene.page);
    await dialog(scene.page).getByLabel('Type the PID (7312) to confirm').fill('7312');
    await scene.page.keyboard.press('Escape');
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    expect(await dialog(scene.page).textContent()).toContain('1 min 30 s to exit');
    await scene.page.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands()[0]?.input['graceMs']).toBe(90_000);
  });

  it('of a host without any leave the page as it is', async () => {
    const world = stuckWorld();
    await using scene = await open(world);
    scene.host.answers.set('settings.get', () => {
      return refuse({ code: 'unknown-method', message: 'There is no method "settings.get".', next: '' });
    });
    await scene.page.reload();
    await row(scene.page, '9f2c-41aa').waitFor();
    await scene.page.keyboard.press('Control+4');
    await scene.page.getByText('A host that is older than this page has no settings.').waitFor();
  });
});

describe('the data', () => {
  it('export what a person has set here and is not the default, as a settings.json has it', async () => {
    const world = stuckWorld();
    world.settings = { silentAfterMinutes: 25, theme: 'system', requireReason: true, keepHistoryDays: 90 };
    world.policy = { keepHistoryDays: 400, killNeedsPid: true };
    await using scene = await openSettings(world);
    const download = scene.page.waitForEvent('download');
    await scene.page.getByRole('button', { name: 'Export settings' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('unjam-settings.json');
    expect(JSON.parse(readFileSync(await file.path(), 'utf8'))).toEqual({
      silentAfterMinutes: 25,
      requireReason: true,
    });
    await scene.page.getByText('2 settings exported to unjam-settings.json.').waitFor();
    expect(await scene.page.getByRole('button', { name: 'Open folder' }).count()).toBe(0);
  });

  it('of the desktop application open their folder, and say what the system made of it', async () => {
    await using scene = await open(stuckWorld(), { init: standInBridge });
    let text = '';
    let file: string | null = null;
    scene.host.answers.set('window.openFolder' as never, () => ({ text }));
    scene.host.answers.set('window.saveText' as never, () => ({ file, bytes: 3 }));
    await scene.page.keyboard.press('Control+4');
    const data = scene.page.locator('[data-part=data]');
    await data.getByRole('button', { name: 'Open folder' }).click();
    await data.getByText('The folder is open in the file manager.').waitFor();
    text = 'C:\\ProgramData\\Unjam could not be shown: it is gone.';
    await data.getByRole('button', { name: 'Open folder' }).click();
    await data.getByText('could not be shown: it is gone.').waitFor();
    await data.getByRole('button', { name: 'Export settings' }).click();
    await data.getByText('Nothing was exported.').waitFor();
    file = 'D:\\mine.json';
    await data.getByRole('button', { name: 'Export settings' }).click();
    await data.getByText('0 settings exported to D:\\mine.json.').waitFor();
    scene.host.answers.delete('window.openFolder' as never); // an older application
    await data.getByRole('button', { name: 'Open folder' }).click();
    await data.getByText('There is no method "window.openFolder".').waitFor();
  });
});

describe('the first run', () => {
  it('starts the fire drill and goes to the script that hangs', async () => {
    await using scene = await open(new World(), { waitFor: 'text=No scripts yet on WEB-EU-07' });
    scene.host.answers.set('drill.start', () => {
      const drill = stuckWorld();
      const hung = listView(drill.scripts.get('9f2c-41aa')!);
      scene.host.push((world) => world.add(...drill.scripts.values()));
      return { mutex: 'fire drill', hung, waiting: [], endsBy: new Date().toISOString() };
    });
    await scene.page.getByRole('button', { name: 'Start a fire drill' }).click();
    await detailOf(scene.page, 'Deploy web-eu');
    expect(scene.host.commands().map((call) => call.method)).toEqual(['drill.start']);
  });

  it('says why a drill could not begin', async () => {
    await using scene = await open(new World(), { waitFor: 'text=No scripts yet on WEB-EU-07' });
    scene.host.answers.set('drill.start', () => {
      return refuse({ code: 'not-possible', message: 'A fire drill is already running.', next: 'Free it.' });
    });
    await scene.page.getByRole('button', { name: 'Start a fire drill' }).click();
    await scene.page.getByText('A fire drill is already running. Free it.').first().waitFor();
  });
});

describe('the border between list and detail', () => {
  const label = 'Width of the detail pane';
  it('is moved with the arrow keys, kept, and reset', async () => {
    await using scene = await open(stuckWorld());
    const border = scene.page.getByRole('separator', { name: label });
    const value = async (): Promise<number> => Number(await border.getAttribute('aria-valuenow'));
    expect(await value()).toBe(416);
    await border.focus();
    // Faster than frames are drawn, as a held key is on a busy machine.
    await border.evaluate(async (bar) => {
      for (let n = 0; n < 5; n += 1) {
        bar.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true, cancelable: true }));
        await new Promise((done) => setTimeout(done));
      }
    });
    await expect.poll(value).toBe(536);
    expect(await scene.page.locator('.side').evaluate((pane) => pane.clientWidth)).toBe(536);
    await scene.page.reload();
    await expect.poll(value).toBe(536);
    await border.dblclick();
    await expect.poll(value).toBe(416);
  });

  it('is dragged; a list that is too narrow for its columns becomes cards', async () => {
    await using scene = await open(stuckWorld());
    const border = scene.page.getByRole('separator', { name: label });
    const box = (await border.boundingBox())!;
    await scene.page.mouse.move(box.x + 3, 300);
    await scene.page.mouse.down();
    await scene.page.mouse.move(300, 300, { steps: 4 });
    await scene.page.mouse.up();
    await scene.page.locator('.grid.cards').waitFor();
    expect(await row(scene.page, '9f2c-41aa').evaluate((one) => one.getBoundingClientRect().height)).toBe(56);
  });
});
