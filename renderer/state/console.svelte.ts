/** Joins the parts of the console's state; one per page, given to the components by context. */
import { createContext } from 'svelte';
import type { ConsoleClient, Method, MutexView, Role, ScriptDetail, ScriptView, Snapshot, Verb } from '../contract.ts';
import { toCallError, type CallError } from '../transport/call-error.ts';
import { notPossibleOffline } from '../words/connection.ts';
import { notHere } from '../words/elsewhere.ts';
import { drillBegun } from '../words/drill.ts';
import { toSet } from '../words/maps.ts';
import { Actions } from './actions.svelte.ts';
import { Announcer } from './announcer.svelte.ts';
import { Clock } from './clock.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { Evidence } from './evidence.svelte.ts';
import { Journal } from './journal.svelte.ts';
import { MutexHistory } from './mutex-history.svelte.ts';
import { ForeignLog } from './foreign-log.svelte.ts';
import { LiveDetail } from './live-detail.svelte.ts';
import { LiveLog } from './live-log.svelte.ts';
import { formatAddress, loneLog, Navigation, parseAddress, type Address, type View } from './navigation.svelte.ts';
import { Preferences } from './preferences.svelte.ts';
import { ScriptList } from './script-list.svelte.ts';

export const [useConsole, provideConsole] = createContext<Console>();

const addressPauseMs = 300;

export class Console {
  readonly client: ConsoleClient;
  readonly clock = new Clock();
  readonly announcer = new Announcer();
  readonly list = new ScriptList();
  readonly navigation = new Navigation();
  readonly preferences: Preferences;
  readonly connection: Connection;
  readonly actions: Actions;
  readonly evidence: Evidence;
  readonly detail: LiveDetail;
  readonly log: LiveLog;
  readonly foreignLog: ForeignLog;
  readonly journal: Journal;
  readonly mutexHistory: MutexHistory;
  /** The ticket whose log is all that this window shows; null in the console itself. */
  readonly loneLog = loneLog(location.hash);

  /** Of the last resume that was refused, by mutex. */
  resumeFailure = $state.raw<{ readonly mutex: string; readonly message: string } | null>(null);

  /** The selected script in full, as soon as it has been read. */
  readonly selectedDetail: ScriptDetail | null = $derived.by(() => {
    const detail = this.detail.current;
    return detail !== null && detail.ticket === this.list.selected ? detail : null;
  });

  #addressTimer: ReturnType<typeof setTimeout> | undefined;
  #knownStuck: ReadonlySet<string> | null = null;
  /** Asked for before the first snapshot came. */
  #toOpen: { readonly ticket: string; readonly open: Address['open'] } | null = null;

  constructor(client: ConsoleClient) {
    this.client = client;
    this.preferences = new Preferences(client);
    this.connection = new Connection(client, {
      onSnapshot: (snapshot) => this.#accept(snapshot),
      onMeet: () => void this.preferences.read(),
    });
    this.actions = new Actions(
      client,
      this.announcer,
      () => this.preferences.graceMs,
      (ticket) => this.list.get(ticket),
    );
    this.evidence = new Evidence(client, this.announcer);
    this.detail = new LiveDetail(client, (ticket) => this.list.isObserved(ticket));
    this.log = new LiveLog(client);
    this.foreignLog = new ForeignLog(client);
    this.journal = new Journal(client);
    this.mutexHistory = new MutexHistory(client);
  }

  start(): () => void {
    const endConnection = this.connection.start();
    const goToAddress = (): void => {
      if (loneLog(location.hash) !== this.loneLog) location.reload();
      else if (this.loneLog === null) this.#goToAddress();
    };
    addEventListener('hashchange', goToAddress);
    goToAddress();
    // An administrator's policy may have changed while nobody looked.
    const lookAgain = (): void => void this.preferences.read();
    addEventListener('focus', lookAgain);
    const endOpen = this.client.onOpen?.((request) => {
      const asksForDialog = request.view === 'script' && request.dialog !== null;
      // Who only comes back to the window goes on with the decision that was begun; it may hold a typed reason.
      if (this.actions.dialog !== null && !asksForDialog) return;
      if (request.view === 'settings') return this.go('settings');
      this.#open(request.view === 'script' ? request.ticket : null, request.view === 'script' ? request.dialog : null);
    });
    return () => {
      endOpen?.();
      removeEventListener('focus', lookAgain);
      removeEventListener('hashchange', goToAddress);
      endConnection();
      this.detail.close();
      this.log.close();
      this.foreignLog.close();
      this.announcer.stop();
      clearTimeout(this.#addressTimer);
    };
  }

  /** What this person may do here; null while the host has not said. */
  get role(): Role | null {
    return this.connection.host?.you.role ?? null;
  }

  /** Why this cannot be asked of the host from here now: no connection, or not this person's role. Null when it may be tried. */
  refusalOf(method: Method): string | null {
    if (!this.connection.isLive) return notPossibleOffline;
    return this.connection.host?.you.refused[method] ?? null;
  }

  refusalOfVerb(verb: Verb, { observed, elsewhere }: Pick<ScriptView, 'observed' | 'elsewhere'>): string | null {
    if (elsewhere !== undefined) return notHere(elsewhere.host);
    return this.refusalOf(observed === undefined || verb === 'abandon' ? `scripts.${verb}` : `observed.${verb}`);
  }

  get mutexes(): readonly MutexView[] {
    return this.connection.snapshot?.mutexes ?? [];
  }

  go(view: View): void {
    this.navigation.view = view;
    this.navigation.log = false;
    this.journal.open(view === 'history');
    if (view === 'settings') void this.preferences.read();
    if (view === 'mutexes' && this.navigation.mutex === null) this.navigation.mutex = this.mutexes[0]?.name ?? null;
    this.mutexHistory.open(view === 'mutexes' ? this.navigation.mutex : null);
    this.#writeAddress();
  }

  select(ticket: string): void {
    this.list.select(ticket);
    this.#follow();
    this.#writeAddress();
  }

  showScript(ticket: string): void {
    this.go('scripts');
    this.select(ticket);
  }

  showMutex(name: string): void {
    this.navigation.mutex = name;
    this.go('mutexes');
  }

  openLog(ticket: string | null = this.list.selected): void {
    if (ticket === null || this.#isElsewhere()) return;
    if (this.list.isObserved(ticket)) {
      this.showScript(ticket);
      this.navigation.pane = 'log';
      return;
    }
    if (ticket !== this.list.selected || this.navigation.view !== 'scripts') this.showScript(ticket);
    this.navigation.log = true;
    this.#writeAddress();
  }

  /** L: in a window of its own, or in this one where there can be no other. */
  async openLogWindow(): Promise<void> {
    const ticket = this.list.selected;
    // The agent's log is in the dock, and nowhere else.
    if (this.#isElsewhere()) return;
    if (this.isObserved) this.navigation.pane = 'log';
    else if (ticket !== null && !(await this.client.openLogWindow(ticket))) this.openLog(ticket);
  }

  closeLog(): void {
    this.navigation.log = false;
    this.#writeAddress();
  }

  /** Opens the dialog of a verb; and only that. */
  ask(verb: Verb, ticket: string | null = this.list.selected): void {
    if (ticket === null || !this.connection.isLive) return;
    const view = this.list.get(ticket);
    if (view === null) return;
    const refusal = this.refusalOfVerb(verb, view);
    if (refusal !== null) return this.actions.refuse(verb, ticket, refusal);
    const detail = this.detail.current?.ticket === ticket ? this.detail.current : null;
    if (verb === 'cancel' && this.list.marked.size > 1 && this.list.marked.has(ticket)) {
      this.#askForMany();
      return;
    }
    if (ticket !== this.list.selected && this.loneLog === null) this.showScript(ticket);
    const able = detail?.verbs[verb];
    if (able !== undefined && !able.possible && detail?.version === view.version) {
      this.actions.refuse(verb, ticket, able.text);
      return;
    }
    if (verb === 'cancel' && this.#isAskedNatively) void this.actions.confirm(verb, [view], {});
    else this.actions.open(verb, view);
  }

  /** The desktop application asks about a Cancel itself, and one question is enough; a reason is typed here. */
  get #isAskedNatively(): boolean {
    return this.client.isDesktop && !this.preferences.values.requireReason;
  }

  /** The selected script is an agent's own. */
  get isObserved(): boolean {
    return this.list.isObserved(this.list.selected);
  }

  /** V: of the selected script. */
  saveEvidence(): void {
    const ticket = this.list.selected;
    if (this.#isElsewhere()) return;
    const refusal = this.refusalOf('scripts.evidence');
    if (refusal !== null) this.announcer.warn(refusal);
    else if (ticket !== null) void this.evidence.save(ticket);
  }

  /** Who is on a script, by this console's clock. */
  takenOf({ taken }: ScriptView): ScriptView['taken'] {
    return taken !== null && this.clock.now < Date.parse(taken.until) ? taken : null;
  }

  isMine(taken: ScriptView['taken']): boolean {
    return taken !== null && taken.by === this.connection.host?.you.user;
  }

  /** I: on the selected script, or no longer when it is this person. */
  take(): void {
    const view = this.list.selectedRow?.view;
    if (this.#isElsewhere()) return;
    const refusal = this.refusalOf('scripts.take');
    if (refusal !== null) this.announcer.warn(refusal);
    else if (view !== undefined) void this.actions.take(view, this.isMine(this.takenOf(view)));
  }

  /** Only what can still be cancelled. */
  #askForMany(): void {
    const living = [...this.list.marked]
      .flatMap((ticket) => this.list.get(ticket) ?? [])
      .filter(({ state, elsewhere }) => state !== 'final' && elsewhere === undefined);
    const [first, ...others] = living;
    if (first === undefined) this.announcer.warn('Nothing to cancel: the marked scripts have all finished.');
    else if (this.#isAskedNatively) void this.actions.confirm('cancel', living, {});
    else
      this.actions.open(
        'cancel',
        first,
        others.map((view) => view.ticket),
      );
  }

  async resume(mutex: string): Promise<void> {
    this.resumeFailure = null;
    try {
      await this.client.call('locks.resume', { name: mutex });
      this.announcer.warn(`Queue of "${mutex}" resumed.`);
    } catch (error) {
      const { message, next } = toCallError(error);
      this.resumeFailure = { mutex, message: `${message} ${next}` };
      this.announcer.warn(message);
    }
  }

  /** A harmless script that hangs, with a queue behind it, to practise on. Returns why it could not begin. */
  async startDrill(): Promise<CallError | null> {
    try {
      const drill = await this.client.call('drill.start', {});
      this.showScript(drill.hung.ticket);
      this.announcer.warn(drillBegun(drill.hung.name, drill.waiting.length));
      return null;
    } catch (error) {
      const failure = toCallError(error);
      this.announcer.warn(`${failure.message} ${failure.next}`);
      return failure;
    }
  }

  /** F5 */
  async refresh(): Promise<void> {
    this.detail.refresh();
    if (this.navigation.view === 'history') void this.journal.read();
    await this.connection.refresh();
  }

  #accept(snapshot: Snapshot): void {
    this.clock.set(snapshot.at);
    this.list.held = this.actions.dialog !== null;
    this.list.accept(snapshot);
    this.actions.accept();
    this.#follow();
    this.detail.accept(this.#subject === null ? null : this.list.get(this.#subject));
    this.journal.accept();
    this.announcer.tell(snapshot.overview.sentence);
    if (this.#toOpen !== null) {
      const { ticket, open } = this.#toOpen;
      this.#toOpen = null;
      this.#open(ticket, open);
    }
    this.#tellNewStuck(this.list.stuck);
    if (this.navigation.view === 'mutexes' && this.navigation.mutex === null)
      this.navigation.mutex = snapshot.mutexes[0]?.name ?? null;
    this.mutexHistory.open(this.navigation.view === 'mutexes' ? this.navigation.mutex : null);
  }

  get #subject(): string | null {
    return this.loneLog ?? this.#own;
  }

  /** The selected script, when it is one of this host. */
  get #own(): string | null {
    return this.list.selectedRow?.view.elsewhere === undefined ? this.list.selected : null;
  }

  /** Says so, when the selected script is another host's. */
  #isElsewhere(): boolean {
    const host = this.list.selectedRow?.view.elsewhere?.host;
    if (host !== undefined) this.announcer.warn(notHere(host));
    return host !== undefined;
  }

  #follow(): void {
    this.detail.open(this.#subject);
    const isObserved = this.list.isObserved(this.#subject);
    this.log.open(isObserved ? null : this.#subject);
    this.foreignLog.open(isObserved ? this.#subject : null);
  }

  #tellNewStuck(stuck: readonly ScriptView[]): void {
    const known = this.#knownStuck;
    if (known !== null) {
      const fresh = stuck.find((script) => !known.has(script.ticket));
      const where = fresh?.elsewhere === undefined ? '' : ` on ${fresh.elsewhere.host}`;
      if (fresh !== undefined) this.announcer.warn(`${fresh.name}${where}: ${fresh.condition.headline}`);
    }
    this.#knownStuck = toSet(stuck.map((script) => script.ticket));
  }

  #goToAddress(): void {
    clearTimeout(this.#addressTimer);
    const { view, subject, open } = parseAddress(location.hash);
    if (view === 'mutexes' && subject !== null) this.navigation.mutex = subject;
    this.go(view);
    if (view === 'scripts' && subject !== null) this.#open(subject, open);
  }

  #open(ticket: string | null, open: Address['open']): void {
    this.actions.goBack();
    this.navigation.help = false;
    if (ticket === null) {
      this.go('scripts');
      return;
    }
    if (this.connection.snapshot === null) {
      this.#toOpen = { ticket, open };
      return;
    }
    if (this.list.get(ticket) === null) {
      this.go('scripts');
      this.announcer.warn(`There is no script ${ticket}; it may have been removed.`);
      return;
    }
    this.showScript(ticket);
    if (open === 'log') this.openLog(ticket);
    else if (open !== null) this.ask(open, ticket);
  }

  /** After a pause: browsers slow pages down that change their address at every key. */
  #writeAddress(): void {
    clearTimeout(this.#addressTimer);
    if (this.loneLog !== null) return;
    this.#addressTimer = setTimeout(() => this.#writeAddressNow(), addressPauseMs);
  }

  #writeAddressNow(): void {
    const { view, log, mutex } = this.navigation;
    const subject = view === 'scripts' ? this.#own : view === 'mutexes' ? mutex : null;
    const address = formatAddress(view, subject, log);
    if (address !== location.hash) history.replaceState(null, '', address);
  }
}
