/** Shows what notification-rules decides, and brings a person's answer back. */
import type { ActivationArguments, Notification, NotificationConstructorOptions } from 'electron';
import type { Snapshot } from '../app/contract/methods.ts';
import {
  isPaused,
  nothingTold,
  observe,
  pause,
  resumed,
  snooze,
  type Effect,
  type NotifierState,
  type Pause,
  type Wishes,
} from './notification-rules.ts';
import { buttonTexts, type Toast, type ToastButton } from './notification-texts.ts';
import type { OpenRequest } from './open-request.ts';

export interface NotifierParts {
  readonly supported: () => boolean;
  readonly create: (options: NotificationConstructorOptions) => Notification;
  readonly open: (request: OpenRequest) => void;
  /** As the settings stand now. */
  readonly wishes: () => Wishes;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Toasts whose objects are kept so that their clicks arrive; older ones only open the window. */
const keptToasts = 100;

export class Notifier {
  readonly #parts: NotifierParts;
  readonly #live = new Map<string, Notification>();
  #state: NotifierState = nothingTold;
  #failed = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  get paused(): boolean {
    return isPaused(this.#state, this.#parts.now());
  }

  see(snapshot: Snapshot): void {
    const { state, effects } = observe(this.#state, snapshot, this.#parts.now(), this.#parts.wishes());
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  pause(how: Pause, snapshot: Snapshot | null): void {
    this.#state = pause(this.#state, how, snapshot, this.#parts.now());
  }

  resumed(): void {
    this.#state = resumed(this.#state, this.#parts.now());
  }

  /**
   * Windows calls this for every activation, also of toasts from an earlier run. Those whose object lives are answered
   * by their own events; the others can do no more than show the window.
   */
  activated(details: Pick<ActivationArguments, 'type'>): void {
    if (details.type === 'click' || this.#live.size === 0) this.#parts.open({ view: 'scripts' });
  }

  #carryOut(effect: Effect): void {
    if (effect.do === 'withdraw') {
      this.#live.get(effect.id)?.close();
      this.#live.delete(effect.id);
      return;
    }
    if (!this.#parts.supported()) return;
    try {
      this.#show(effect.toast);
    } catch (error) {
      this.#fail(String(error));
    }
  }

  #show(toast: Toast): void {
    const notification = this.#parts.create({
      id: toast.id,
      groupId: 'unjam',
      title: toast.title,
      body: toast.body,
      silent: toast.silent,
      timeoutType: toast.stays ? 'never' : 'default',
      urgency: toast.stays ? 'critical' : 'normal',
      actions: toast.buttons.map((button) => ({ type: 'button', text: buttonTexts[button] })),
    });
    notification.on('click', () => this.#press(toast, 'show'));
    notification.on('action', (details) => {
      const button = toast.buttons[details.actionIndex];
      if (button !== undefined) this.#press(toast, button);
    });
    notification.on('failed', (_event, error) => this.#fail(error));
    this.#live.delete(toast.id);
    this.#live.set(toast.id, notification);
    const oldest = this.#live.size > keptToasts ? this.#live.keys().next() : undefined;
    if (oldest?.done === false) this.#live.delete(oldest.value);
    notification.show();
    if (toast.leavesAfterMs !== null) setTimeout(() => notification.close(), toast.leavesAfterMs).unref();
  }

  #press(toast: Toast, button: ToastButton): void {
    if (button === 'snooze') {
      if (toast.ticket !== null) this.#state = snooze(this.#state, toast.ticket, this.#parts.now());
      return;
    }
    this.#parts.open(
      toast.ticket === null
        ? { view: 'scripts' }
        : { view: 'script', ticket: toast.ticket, dialog: button === 'cancel' ? 'cancel' : null },
    );
  }

  /** Once: policy may forbid toasts, and then each of them fails. The icon and the window go on. */
  #fail(error: string): void {
    if (!this.#failed) this.#parts.log(`Notifications do not work here: ${error}`);
    this.#failed = true;
  }
}
