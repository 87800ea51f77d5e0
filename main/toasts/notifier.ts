/** Shows the toasts that rules.ts decides on, and opens what a person clicks. */
import type { ActivationArguments, Notification, NotificationConstructorOptions } from 'electron';
import type { Snapshot } from '../../app/contract/methods.ts';
import type { WindowOutput } from '../../app/contract/window.ts';
import {
  nothingTold,
  observe,
  pause,
  pausedUntil,
  resumed,
  type Effect,
  type NotifierState,
  type Wishes,
  whyQuiet,
} from './rules.ts';
import { buttonTexts, testToast, type Toast, type ToastButton } from './texts.ts';
import type { OpenRequest } from '../../app/contract/window.ts';

export interface NotifierParts {
  readonly supported: () => boolean;
  readonly create: (options: NotificationConstructorOptions) => Notification;
  readonly open: (request: OpenRequest) => void;
  /** From the current settings. */
  readonly wishes: () => Wishes;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Toasts whose objects are kept so that their clicks arrive; older ones only open the window. */
const keptToasts = 100;
/** How long the system gets to confirm a test; some systems never do. */
const testAnswerMs = 3_000;

export class Notifier {
  readonly #parts: NotifierParts;
  readonly #live = new Map<string, Notification>();
  #state: NotifierState = nothingTold;
  #failed = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Milliseconds since the epoch; null when notifications are not paused. */
  get pausedUntil(): number | null {
    return pausedUntil(this.#state, this.#parts.now());
  }

  see(snapshot: Snapshot): void {
    const { state, effects } = observe(this.#state, snapshot, this.#parts.now(), this.#parts.wishes());
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  /** Null resumes them. */
  pause(until: number | null): void {
    this.#state = pause(this.#state, until);
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

  /** Shows one that does not count towards the limits, unless notifications are quiet now; says what the system answered. */
  test(): Promise<WindowOutput<'window.testNotification'>> {
    const none = (text: string) => Promise.resolve({ shown: false, text });
    if (!this.#parts.supported())
      return none('This system shows no notifications from Unjam. The tray icon and the window still work.');
    const quiet = whyQuiet(this.#state, this.#parts.now());
    if (quiet !== null) return none(quiet);
    try {
      const notification = this.#prepare(testToast);
      const answer = answerOf(notification);
      notification.show();
      return answer;
    } catch (error) {
      return none(`The system refused it: ${String(error)}.`);
    }
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
    const notification = this.#prepare(toast);
    notification.show();
    if (toast.leavesAfterMs !== null) setTimeout(() => notification.close(), toast.leavesAfterMs).unref();
  }

  #prepare(toast: Toast): Notification {
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
    return notification;
  }

  #press(toast: Toast, button: ToastButton): void {
    this.#parts.open(
      toast.ticket === null
        ? { view: 'scripts' }
        : { view: 'script', ticket: toast.ticket, dialog: button === 'cancel' ? 'cancel' : null },
    );
  }

  /** Logged once: a policy may forbid toasts, and then each of them fails. */
  #fail(error: string): void {
    if (!this.#failed) this.#parts.log(`Notifications do not work here: ${error}`);
    this.#failed = true;
  }
}

/** What the system answers to a notification that is about to be shown. */
function answerOf(notification: Notification): Promise<WindowOutput<'window.testNotification'>> {
  return new Promise((resolve) => {
    const silence = setTimeout(
      () =>
        resolve({
          shown: false,
          text: 'The system accepted it but has not confirmed that it is on screen. Check whether you can see it.',
        }),
      testAnswerMs,
    );
    const end = (shown: boolean, text: string): void => {
      clearTimeout(silence);
      resolve({ shown, text });
    };
    notification.once('show', () => end(true, 'The system has shown it.'));
    notification.once('failed', (_event, error) => end(false, `The system refused it: ${error}.`));
  });
}
