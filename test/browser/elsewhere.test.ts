/** The scripts of other hosts of the fleet, in the list of a person who has logged in to it. */
import { expect, it } from 'vitest';
import type { Output } from '../../app/contract/methods.ts';
import { shownText } from '../../app/fleet/snapshot.ts';
import { consoleSpecs, order, row, rows } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, hostInfo, minute, script, World } from '../support/browser-worlds.ts';

const open = consoleSpecs();
type Told = Output<'fleet.scripts'>;

/** As that host has shown its scripts. */
function shown(world: World, host: string, state: 'reachable' | 'unreachable', at: string): Told['hosts'][number] {
  return { host, state, at, problem: null, ...(JSON.parse(shownText(world.snapshot())) as Pick<Told['hosts'][number], 'scripts' | 'observed' | 'leftOut'>) }; // prettier-ignore
}

const calm = new World().add(script({ ticket: 'nightly', name: 'Nightly copy' }));
const told = (): Told => ({
  at: ago(0),
  problem: null,
  hosts: [shown(stuckWorld(), 'web-2', 'unreachable', ago(18 * minute)), shown(calm, 'web-3', 'reachable', ago(2_000))],
});

function loggedIn(): World {
  const world = stuckWorld();
  world.host = { fleet: 'web-1', you: { ...hostInfo.you, fleet: 'oncall' } };
  return world;
}

it('stand among those of this host, the stuck ones first, with their host and how old that is', async () => {
  await using scene = await open(loggedIn());
  const { page, host } = scene;
  host.answers.set('fleet.scripts', told);
  await page.keyboard.press('Control+2');
  await page.keyboard.press('Control+1');
  await row(page, '9f2c-41aa@web-2').waitFor();
  const verdict = page.locator('[data-part=verdict]');
  await verdict.getByText('This host: 1 stuck script blocks 3 scripts on "RunningScript"').waitFor();
  await verdict.getByText(/^Stuck on other hosts: 1 script\. Oldest wait/).waitFor();
  await page.keyboard.press('s'); // no row moves by itself under somebody's hand
  expect((await order(page)).slice(0, 2).toSorted()).toEqual(['9f2c-41aa', '9f2c-41aa@web-2']);
  expect(await row(page, '9f2c-41aa@web-2').getAttribute('aria-label')).toMatch(
    /^Stuck: silent 47 min, blocks 3, Deploy web-eu \/ step 4, on web-2 as at \d\d:\d\d:\d\d, PID 7312/,
  );
  expect(await row(page, '9f2c-41aa').getAttribute('aria-label')).not.toContain(' on web');
  expect(await row(page, 'nightly@web-3').getAttribute('aria-label')).toContain(', on web-3, PID');
  await page.getByRole('columnheader', { name: 'Host' }).waitFor();

  await page.getByRole('combobox', { name: 'Host' }).selectOption('web-3');
  await expect.poll(() => rows(page).count()).toBe(1);
  expect(await order(page)).toEqual(['nightly@web-3']);
  await page.getByRole('combobox', { name: 'Host' }).selectOption('This host');
  await expect.poll(async () => (await order(page)).some((ticket) => ticket.includes('@'))).toBe(false);
});

it('are looked at only: the pane says what is not here and how to ask for it, and no key acts', async () => {
  await using scene = await open(loggedIn());
  const { page, host } = scene;
  host.answers.set('fleet.scripts', told);
  await page.keyboard.press('Control+2');
  await page.keyboard.press('Control+1');
  await row(page, '9f2c-41aa@web-2').click();
  await page.getByText(/^As it was at .*\. Nothing is known of it since\.$/).waitFor();
  await page.getByText('unjam kill 9f2c-41aa@web-2').waitFor();
  expect(await page.locator('[data-verb]').count()).toBe(0);
  for (const key of ['c', 'k', 'a', 'i', 'v', 'Shift+Delete', 'l']) await page.keyboard.press(key);
  await page.getByText('It is a script of "web-2": nothing can be done with it here.').first().waitFor();
  expect(await page.locator('dialog[open]').count()).toBe(0);
  expect(host.commands()).toEqual([]);
  expect(host.calls.filter(({ input }) => JSON.stringify(input).includes('@web-2'))).toEqual([]);
});

it('stay as they were, with their time, while the engine is away', async () => {
  await using scene = await open(loggedIn());
  const { page, host } = scene;
  const lookAgain = async (answer: () => Told): Promise<void> => {
    host.answers.set('fleet.scripts', answer);
    await page.keyboard.press('Control+2');
    await page.keyboard.press('Control+1');
  };
  await lookAgain(told);
  await row(page, 'nightly@web-3').waitFor();
  await lookAgain(() => ({ ...told(), problem: 'The engine of the fleet cannot be reached: away.' }));
  await page.getByText(/^The engine of the fleet cannot be reached: away\. Other hosts are shown as at /).waitFor();
  expect(await row(page, 'nightly@web-3').getAttribute('aria-label')).toMatch(/on web-3 as at \d\d:\d\d:\d\d/);
});

it('are asked for by nobody who has not logged in, and then no host is named', async () => {
  await using scene = await open(stuckWorld());
  const { page, host } = scene;
  await row(page, '9f2c-41aa').waitFor();
  expect(await page.getByRole('columnheader', { name: 'Host' }).count()).toBe(0);
  expect(await page.getByRole('combobox', { name: 'Host' }).count()).toBe(0);
  expect(host.calls.filter(({ method }) => method === 'fleet.scripts')).toEqual([]);
});
