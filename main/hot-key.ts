/**
 * The key that opens the window from every program: the one of the setting `hotKey`, as far as the system gives it. The
 * setting may change elsewhere, and another program may have the key or leave it, so both are looked at again and again.
 */
import type { GlobalShortcut } from 'electron';
import type { Caller } from '../app/contract/dispatcher.ts';
import type { Reply, Snapshot } from '../app/contract/methods.ts';
import type { WindowOutput, WindowParsed } from '../app/contract/window.ts';
import { isHotKey } from '../app/domain/hot-key.ts';
import type { HostSettings } from './host-settings.ts';
import type { OpenRequest } from './open-request.ts';
import { refuse } from './refuse.ts';

export interface HotKeyParts {
  /** Usable only once Electron is ready. */
  readonly globalShortcut: Pick<GlobalShortcut, 'register' | 'unregister' | 'unregisterAll'>;
  readonly settings: Pick<HostSettings, 'current' | 'lookNow' | 'change'>;
  /** Shows the window; never hides it, however often it is called. */
  readonly open: () => void;
  readonly log: (line: string) => void;
}

/** What the key shows: the script to look at first, else the list. */
export function worstScript(snapshot: Snapshot | null): OpenRequest {
  const ticket = snapshot?.overview.ticket ?? null;
  return ticket === null ? { view: 'scripts' } : { view: 'script', ticket, dialog: null };
}

export class HotKey {
  readonly #parts: HotKeyParts;
  /** What the system has given; empty = nothing. */
  #held = '';
  /** What the log says is not given. */
  #told = '';
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: HotKeyParts) {
    this.#parts = parts;
  }

  /** For each look at the settings. */
  follow(): Promise<void> {
    return this.#inTurn(async () => this.#adopt());
  }

  /** `window.hotKey` */
  answer({ keys }: WindowParsed<'window.hotKey'>, caller: Caller): Promise<Reply> {
    return this.#inTurn(() => (keys === undefined ? this.#tell() : this.#set(keys, caller)));
  }

  /** Gives the key back for good. */
  end(): void {
    this.#ended = true;
    this.#parts.globalShortcut.unregisterAll();
  }

  /** Empty also where the host is too old to have one. */
  get #wanted(): string {
    const keys = this.#parts.settings.current?.hotKey ?? '';
    return isHotKey(keys) ? keys : '';
  }

  #adopt(): void {
    const wanted = this.#wanted;
    if (this.#ended || wanted === this.#held) return;
    this.#release(this.#held);
    this.#held = wanted !== '' && this.#take(wanted) ? wanted : '';
    if (wanted === this.#held) this.#told = '';
    else if (wanted !== this.#told) {
      this.#parts.log(`W393 ${notGiven(wanted)} It is tried again.`);
      this.#told = wanted;
    }
  }

  async #tell(): Promise<Reply> {
    await this.#parts.settings.lookNow();
    this.#adopt();
    if (this.#parts.settings.current === null) return told('', 'The host has not told its settings yet.');
    const wanted = this.#wanted;
    const text = `${notGiven(wanted)} Close that program, or choose another combination.`;
    return told(wanted, wanted === this.#held ? '' : text);
  }

  /** The new key first: what the system or the host refuses leaves the old one as it is. */
  async #set(keys: string, caller: Caller): Promise<Reply> {
    if (keys !== '' && !isHotKey(keys))
      return refuse(
        'bad-input',
        `"${keys}" cannot be a hot key. Nothing was changed.`,
        'Hold Ctrl, Alt or Win and one more of them or Shift with a letter or digit, or one with a function key: Ctrl+Alt+U, Ctrl+F12.',
        'keys',
      );
    const isNew = keys !== '' && keys !== this.#held;
    if (isNew && !this.#take(keys))
      return told(this.#wanted, `${notGiven(keys)} Nothing was changed. Choose another combination.`);
    const reply = await this.#parts.settings.change({ hotKey: keys }, caller);
    if (!reply.ok) {
      if (isNew) this.#release(keys);
      return reply;
    }
    if (keys !== this.#held) this.#release(this.#held);
    this.#held = keys;
    this.#told = '';
    return told(keys, '');
  }

  /** False when the system does not give it. */
  #take(keys: string): boolean {
    return this.#parts.globalShortcut.register(accelerator(keys), () => this.#parts.open());
  }

  #release(keys: string): void {
    if (keys !== '') this.#parts.globalShortcut.unregister(accelerator(keys));
  }

  /** One after the other: two that take and release at the same time could leave a key behind. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** In Electron's words. */
const accelerator = (keys: string): string => keys.replace('Win', 'Super');

/** The system says no more than that it does not give it. */
const notGiven = (keys: string): string =>
  `The system did not give the hot key ${keys} to Unjam; probably another program has it.`;

const told = (keys: string, text: string): Reply => ({
  ok: true,
  value: { keys, text } satisfies WindowOutput<'window.hotKey'>,
});
