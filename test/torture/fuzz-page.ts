/** The desktop application’s bridge before a page that was taken over: a real application, and a person who goes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { IpcMainInvokeEvent } from 'electron';
import type { Caller } from '../../app/contract/dispatcher.ts';
import type { Reply, ScriptView, SettingsView } from '../../app/contract/methods.ts';
import { type Application, openApplication } from '../../app/host/application.ts';
import { confirmed } from '../../main/page/confirm.ts';
import { openRpcDoor, withWindowMethods } from '../../main/page/door.ts';
import { oneQuestion } from '../../main/page/question.ts';
import { createSave } from '../../main/page/save.ts';

type Rpc = (event: IpcMainInvokeEvent, method: unknown, input: unknown) => Promise<Reply>;

const owner: Caller = { user: 'root', via: 'cli', role: 'owner' };
const ok = (): Reply => ({ ok: true, value: {} });

/** What the structured clone of Electron's IPC lets through, and JSON does not. */
function strangeValues(): readonly unknown[] {
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  return [undefined, NaN, -0, Infinity, 10n, new Map([['a', 1]]), new Set([1]), new Date(NaN), /x/, new Uint8Array(9), new Error('x'), loop, [loop], Array(2), '', '__proto__', 'holder\0', -1, null, {}]; // prettier-ignore
}

/** The host has seen what it started: from now on nothing changes by itself. */
export const isSet = (scripts: readonly ScriptView[]): boolean =>
  scripts.some((s) => s.ticket === 'holder' && s.state === 'running' && s.pid !== null && s.holdsMutex) &&
  scripts.some((s) => s.ticket === 'waiter' && s.state === 'queued') &&
  scripts.some((s) => s.ticket === 'done' && s.state === 'final');

export class HostilePage {
  readonly strange = strangeValues();
  readonly failures: string[] = [];
  readonly #application: Application;
  readonly #home: string;
  readonly #rpc: Rpc;
  #before = '';

  private constructor(home: string, application: Application, rpc: Rpc, failures: string[]) {
    this.#home = home;
    this.#application = application;
    this.#rpc = rpc;
    this.failures = failures;
  }

  static async open(): Promise<HostilePage> {
    const home = mkdtempSync(join(tmpdir(), 'unjam-fuzz-'));
    const failures: string[] = [];
    const application = await openApplication({
      stateDirectory: home,
      log: (line) => void (line.startsWith('W399') && failures.push(line)),
    });
    let rpc: Rpc | null = null;
    let clock = 0;
    const parts = { dispatch: application.dispatch, parent: () => null, exclusively: oneQuestion(() => (clock += 10_000)) }; // prettier-ignore
    const dialog = {
      showMessageBox: async () => ({ response: 0, checkboxChecked: false }),
      showSaveDialog: async () => ({ canceled: true, filePath: '' }),
    };
    const save = createSave({ ...parts, dialog });
    const dispatch = confirmed({ ...parts, dialog, machine: 'here', watch: () => undefined, gathered: () => new Promise(setImmediate), now: Date.now }); // prettier-ignore
    openRpcDoor({
      ipcMain: { handle: (_channel, listener) => void (rpc = listener as Rpc) },
      pages: () => [1],
      dispatch: withWindowMethods(dispatch, {
        'window.openLog': ok,
        'window.saveLog': save.log,
        'window.saveEvidence': save.evidence,
        'window.saveText': save.text,
        'window.testNotification': ok,
        'window.signIn': ok,
        'window.openFolder': ok,
      }),
      user: 'kim',
      log: () => undefined,
    });
    if (rpc === null) throw new Error('The door has no handler.');
    const page = new HostilePage(home, application, rpc, failures);
    const isolation = { level: 'full', mutex: 'web' };
    for (const ticket of ['holder', 'waiter'])
      await application.dispatch('scripts.start', { ticket, command: ['sleep', '3600'], cwd: '/', isolation }, owner);
    await application.dispatch('scripts.start', { ticket: 'done', command: ['true'], cwd: '/', waitMs: 60_000 }, owner);
    while (!isSet(await page.#scripts())) await delay(5);
    page.#before = await page.#state();
    return page;
  }

  /** A sender that is not the console is refused whatever it asks. */
  async call(method: unknown, input: unknown, isConsole: boolean): Promise<unknown> {
    const frame = { url: 'app://ui/index.html', origin: isConsole ? 'app://ui' : 'https://evil.example', parent: null };
    const event = { sender: { id: 1 }, senderFrame: frame } as unknown as IpcMainInvokeEvent;
    return this.#rpc(event, method, input).catch((error: unknown) => {
      this.failures.push(String((error as Error).stack ?? error));
      return { ok: false, error: { code: 'not-possible', message: 'rejected', next: 'see failures' } };
    });
  }

  /** What has changed that a page alone must not change. */
  async effects(): Promise<readonly string[]> {
    const now = await this.#state();
    return now === this.#before ? [] : [`${this.#before} became ${now}`];
  }

  async #ask(method: string, input: unknown): Promise<unknown> {
    const reply = await this.#application.dispatch(method, input, owner);
    return reply.ok ? reply.value : reply.error;
  }

  #scripts = async (): Promise<ScriptView[]> => (await this.#ask('scripts.list', { all: true })) as ScriptView[];

  async #state(): Promise<string> {
    const scripts = await this.#scripts();
    const { disableForceKill, disableAbandon, access } = ((await this.#ask('settings.get', {})) as SettingsView).values;
    return JSON.stringify({
      guards: { disableForceKill, disableAbandon, access },
      scripts: scripts
        .filter((s) => ['holder', 'waiter', 'done'].includes(s.ticket))
        .map((s) => [s.ticket, s.state, s.verdict, s.pid, s.orphan, s.holdsMutex].join()),
      started: scripts.filter((s) => s.ticket.startsWith('own')).length,
    });
  }

  async close(): Promise<void> {
    for (let living = true; living;) {
      const left = (await this.#scripts()).filter((s) => s.state !== 'final' || s.orphan);
      for (const { ticket } of left)
        await this.#application.dispatch('scripts.kill', { ticket, reason: 'over' }, owner);
      living = left.length > 0;
    }
    await this.#application.close();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
