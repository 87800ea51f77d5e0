/** The whole shell, joined as main.ts joins it, around stand-ins for Electron: from the double-click to the reply. */
import { join } from 'node:path';
import type { IpcMainInvokeEvent } from 'electron';
import { beforeEach, describe, expect, test } from 'vitest';
import { script, snapshot } from './fixtures.ts';
import { ShellWorld } from './shell-world.ts';

let world: ShellWorld;
beforeEach(async () => {
  world = new ShellWorld();
  await world.engine.start();
});

test('nothing but the icon exists until somebody asks for the window', () => {
  world.emit(snapshot([script()]));
  expect([world.trays.length, world.windows.length]).toEqual([1, 0]);
  expect(world.trays[0]?.image).toBe(join('assets', 'tray', 'stuck-light.ico'));
});

test('every page is told when no host answers, also one that is opened later', async () => {
  const broken = new ShellWorld({ open: () => Promise.reject(new Error('the disk is full')) });
  const window = broken.openWindow();
  await broken.engine.start();
  expect(window.webContents.sent.map((message) => message.event)).toEqual(['offline']);
  window.pressClose();
  window.destroy();
  const later = broken.openWindow();
  expect(later.webContents.sent.map((message) => message.event)).toEqual(['offline']);
  await broken.call('window.openLog', { ticket: 'web-eu-4' });
  const [log] = broken.logWindows;
  log?.finishLoading();
  expect(log?.webContents.sent.map((message) => message.event)).toEqual(['offline']);
  await broken.engine.close();
});

test('a double-click opens one window, which hears every snapshot from the first on', () => {
  world.trays[0]?.emit('click');
  const window = world.openWindow();
  world.emit(snapshot([script()]));
  expect(world.windows).toHaveLength(1);
  expect(window.webContents.sent.map((message) => message.event)).toEqual(['snapshot', 'snapshot']);
});

describe('a call of the page', () => {
  test('reaches the application in the name of the window', async () => {
    world.openWindow();
    expect(await world.call('scripts.list', {})).toEqual({ ok: true, value: null });
    expect(world.calls).toEqual([{ method: 'scripts.list', input: {}, via: 'window' }]);
  });

  test('that ends something is asked natively first', async () => {
    world.openWindow();
    world.dialog.answers.push('Go back');
    expect(await world.call('scripts.kill', { ticket: 'web-eu-4' })).toMatchObject({
      ok: false,
      error: { code: 'not-confirmed' },
    });
    expect(world.calls.some((call) => call.method === 'scripts.kill')).toBe(false);
  });

  test('from a page of an earlier window is refused', async () => {
    const old = world.openWindow();
    const id = old.webContents.id;
    old.destroy();
    world.openWindow();
    const frame = { url: 'app://ui/index.html', origin: 'app://ui', parent: null };
    const reply = await world.rpc(
      { sender: { id }, senderFrame: frame } as unknown as IpcMainInvokeEvent,
      'scripts.list',
      {},
    );
    expect(reply).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
  });
});

describe('a log in a window of its own', () => {
  test('opens at the asking of the page, hears snapshots, and may call', async () => {
    world.openWindow();
    expect(await world.call('window.openLog', { ticket: 'web-eu-4' })).toEqual({ ok: true, value: {} });
    const [log] = world.logWindows;
    expect(log?.url).toBe('app://ui/index.html#log/web-eu-4');
    log?.finishLoading();
    world.emit(snapshot([script()]));
    expect(log?.webContents.sent.map((message) => message.event)).toEqual(['snapshot', 'snapshot']);
    const frame = { url: log?.url, origin: 'app://ui', parent: null };
    const event = { sender: { id: log?.webContents.id }, senderFrame: frame } as unknown as IpcMainInvokeEvent;
    expect(await world.rpc(event, 'scripts.list', {})).toMatchObject({ ok: true });
    log?.pressClose();
    expect(await world.rpc(event, 'scripts.list', {})).toMatchObject({ error: { code: 'unauthorized' } });
  });

  test('is never a call of the host, and wants a ticket', async () => {
    world.openWindow();
    for (const input of [{}, { ticket: '' }, { ticket: 7 }, { ticket: 'a', url: 'https://evil.example' }])
      expect(await world.call('window.openLog', input)).toMatchObject({ error: { code: 'bad-input' } });
    expect([world.logWindows, world.calls]).toEqual([[], []]);
  });
});

test('a toast opens the window at its script', async () => {
  world.emit(snapshot([script()]));
  await expect.poll(() => world.toasts.length).toBe(1); // what toasts are wanted is asked first
  world.toasts[0]?.press('Cancel…');
  const window = world.windows[0];
  window?.finishLoading();
  expect(window?.webContents.sent.at(-1)).toEqual({
    event: 'open',
    payload: { view: 'script', ticket: 'web-eu-4', dialog: 'cancel' },
  });
});

test('a test notification is shown at the asking of the page, and wants no input', async () => {
  world.openWindow();
  const answer = world.call('window.testNotification', {});
  await expect.poll(() => world.toasts.length).toBe(1); // the settings are read first
  world.toasts[0]?.emit('show');
  expect(await answer).toEqual({ ok: true, value: { shown: true, text: 'The system has shown it.' } });
  expect(await world.call('window.testNotification', { title: 'x' })).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.toasts).toHaveLength(1);
});

test('start at sign-in is read and set at the asking of the page, the same as in the menu', async () => {
  world.openWindow();
  expect(await world.call('window.signIn', {})).toEqual({ ok: true, value: { on: false } });
  expect(await world.call('window.signIn', { on: true })).toEqual({ ok: true, value: { on: true } });
  expect(world.menu().find((item) => item.label === 'Start when I sign in')?.checked).toBe(true);
  for (const input of [{ on: 1 }, { on: null }, { on: true, path: 'C:\\evil.exe' }])
    expect(await world.call('window.signIn', input)).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.atLogin).toBe(true);
});

test.each([
  ['Go back', true],
  ['Change', false],
])('the start at sign-in is not ended without a question: after %s it is %s', async (answer, on) => {
  world.openWindow();
  world.atLogin = true;
  world.dialog.answers.push(answer);
  const reply = await world.call('window.signIn', { on: false });
  expect(reply).toMatchObject(on ? { error: { code: 'not-confirmed' } } : { value: { on } });
  expect([world.atLogin, world.dialog.asked.length]).toEqual([on, 1]);
});

test('the state directory is shown at the asking of the page, and no folder that the page names', async () => {
  world.openWindow();
  for (const input of [{ path: 'C:\\Windows\\System32\\calc.exe' }, '/etc', ['/etc']])
    expect(await world.call('window.openFolder', input)).toMatchObject({ error: { code: 'bad-input' } });
  expect(world.opened).toEqual([]);
  expect(await world.call('window.openFolder', {})).toEqual({ ok: true, value: { text: '' } });
  expect(world.opened).toEqual(['/state']);
});

test('the menu shows the present state and copies a summary for the incident', () => {
  world.emit(snapshot([script()]));
  const items = world.menu();
  expect(items[0]?.label).toBe('1 stuck');
  items
    .find((item) => item.label === 'Copy incident summary')
    ?.click?.(undefined as never, undefined, undefined as never);
  expect(world.copied).toContain('WEB-01');
  expect(world.copied).toContain('Deploy web-eu / step 4 on WEB-01, ');
  expect(world.copied).toContain('\nTicket: web-eu-4\nPID: 7312\n');
});

test('sleep reaches the application', () => {
  world.power.emit('suspend');
  world.power.emit('resume');
  expect(world.powered).toEqual(['suspend', 'resume']);
});

test('the end of the session closes the application and lets the window close', async () => {
  const window = world.openWindow();
  world.sessionWindow.emit('query-session-end', { reasons: ['shutdown'] });
  window.pressClose();
  expect(window.destroyed).toBe(true);
});

test('a console that was not built is answered with 404, not with a crash', async () => {
  expect((await world.serve({ url: 'app://ui/index.html', method: 'GET' })).status).toBe(404);
});
