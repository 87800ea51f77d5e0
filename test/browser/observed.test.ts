/** Scripts of agents in the console, on real processes: beside those of Unjam, with the same keys and dialogs. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { consoleSpecs, dialog, ready, row, verb } from '../support/browser-console.ts';
import { World } from '../support/browser-worlds.ts';
import { consoleHosts } from '../support/console-hosts.ts';
import { runner, tentacle, untilCode, untilObserved } from '../observed/stand-in.ts';

const simulated = consoleSpecs();
const open = consoleHosts[0]!.open;
const deaf = 'trap "" TERM; echo copying; sleep 3600 & wait; wait; sleep 3600\n';

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([]);
}

test('an agent’s script stands beside those of Unjam, and is cancelled and killed with the same keys', async () => {
  await using opened = await open();
  const { page, world } = opened;
  await using standIn = tentacle(world, deaf);
  await world.start('echo mine; sleep 600', { ticket: 'own', name: 'Deploy api' });
  const { id, name, pid } = await untilObserved(world, 'tentacle', (s) => s.processes > 1);
  await row(page, id).filter({ hasText: 'Octopus Tentacle' }).waitFor();
  expect(await row(page, id).getAttribute('aria-label')).toContain(`${name}, PID ${pid}`);

  await page.getByRole('button', { name: /^Observed \d/ }).click();
  await row(page, 'own').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^Supervised \d/ }).click();
  await row(page, id).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: /^All \d/ }).click();

  await row(page, id).click();
  const detail = page.locator('[data-part=detail]');
  for (const said of [
    'Observed: Octopus Tentacle',
    'RunningScript',
    'Calamari',
    'only a restart of the Tentacle service frees it',
  ])
    await detail.getByText(said).first().waitFor();
  await page.locator('.dock').getByText('Acquiring isolation mutex').waitFor();
  expect(await verb(page, 'abandon').count()).toBe(0);
  await page.keyboard.press('Control+Shift+Delete');
  await detail.getByText('Abandon is not possible now.').waitFor();
  await clean(page);

  await detail.getByRole('button', { name: /^I am on it/ }).click();
  await row(page, id).filter({ hasText: 'is on it' }).waitFor();
  await detail.getByRole('button', { name: /^Save evidence/ }).click();
  await detail.getByRole('button', { name: /^Download evidence/ }).waitFor();
  await clean(page);

  await verb(page, 'cancel').click();
  await ready(page);
  await clean(page);
  await dialog(page).getByRole('button', { name: 'Cancel script' }).click();
  await row(page, id).filter({ hasText: 'Cancelling' }).waitFor();
  await world.client.call('observed.cancel', { id, graceMs: 100 });
  await row(page, id).filter({ hasText: 'Cancel ignored' }).waitFor();
  await row(page, id).click();
  await page.keyboard.press('Shift+Delete');
  const question = await ready(page);
  await question.getByText('the agent are spared').waitFor();
  await clean(page);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await untilCode(standIn)).toBe('137');
  await row(page, id).filter({ hasText: 'Ended by Force Kill' }).waitFor();
  await detail.locator('[data-verb=kill][aria-disabled=true]').waitFor();
  expect(standIn.carrier.exitCode).toBeNull();
  const kill = (await world.client.call('history.list', {})).find((entry) => entry.kind === 'observed-kill');
  expect(kill).toMatchObject({ ticket: id, via: 'browser' });
  expect(opened.problems).toEqual([]);
});

test('what runs through Unjam is listed once, under its ticket, with the agent’s job beside it', async () => {
  await using opened = await open();
  const { page, world } = opened;
  const own = `UNJAM_HOME='${world.home}' '${process.execPath}' '${world.program}' run --ticket job --name Mine -- sleep 600`;
  await using _standIn = runner(world, `${own}\n`);
  await world.until('job', (script) => script.state === 'running');
  const { id, condition } = await untilObserved(world, 'github', (s) => s.ticket === 'job');
  expect(condition.key).toBe('runs-through-unjam');
  await row(page, 'job').filter({ hasText: 'GitHub Actions runner: octo/shop / deploy' }).waitFor();
  expect(await row(page, id).count()).toBe(0);
  expect((await world.cli('ps')).stdout).not.toContain(id);
  expect(opened.problems).toEqual([]);
});

test('a host without scripts says which agents are known', async () => {
  await using scene = await simulated(new World(), { waitFor: 'text=No scripts yet' });
  await scene.page.getByText('No agent was found; these are known: Octopus Tentacle.').waitFor();
});
