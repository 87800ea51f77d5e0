/** The contract's types as the console uses them. Types only: no code of the host ends up in the page. */
import type {
  Client,
  HostInfo,
  Input,
  Method,
  ObservedDetail,
  ObservedView,
  Output,
  ScriptDetail as SupervisedDetail,
  ScriptView as SupervisedView,
  Condition,
} from '../app/contract/methods.ts';
import type { OpenRequest, saveKinds, WindowOutput } from '../app/contract/window.ts';

export type { ErrorBody, ErrorCode } from '../app/contract/errors.ts';
export type {
  Client,
  Condition,
  EventName,
  EventPayload,
  FleetScripts,
  FleetView,
  ForeignLocks,
  HistoryEntry,
  HostInfo,
  Input,
  LogEntry,
  LogPage,
  Method,
  MutexView,
  ObservedDetail,
  Output,
  Overview,
  ProcessView,
  Reply,
  SettingKey,
  Settings,
  SettingsView,
  Severity,
  Snapshot,
} from '../app/contract/methods.ts';

export type { Bridge, OpenRequest } from '../app/contract/window.ts';
/** One row of the list. */
export type ScriptView = SupervisedView & {
  /** Only of what an agent runs by itself: Unjam sees it, and has neither its log nor its mutex. */
  readonly observed?: ObservedView;
  /** The agent's job that this script runs in. */
  readonly job?: ObservedView;
  /** Only of another host of the fleet, as that host has shown it; its ticket is TICKET@HOST then. */
  readonly elsewhere?: {
    readonly host: string;
    /** For a host that is out of reach: how it was then, ms. */
    readonly asAt: number | null;
  };
};
export type ScriptDetail = SupervisedDetail & { readonly observed?: ObservedDetail };

export type Role = HostInfo['you']['role'];
export type IconName = Condition['icon'];
export type Verb = keyof ScriptDetail['verbs'];
export type IsolationLevel = NonNullable<ScriptView['isolation']>;

export type SaveKind = (typeof saveKinds)[number];
export type Saved = WindowOutput<'window.saveText'>;
export type TestNotification = WindowOutput<'window.testNotification'>;

/** The contract's client, and a way to give up on an answer that nobody waits for any more. */
export interface ConsoleClient extends Client {
  call<M extends Method>(method: M, input: Input<M>, signal?: AbortSignal): Promise<Output<M>>;
  /** The page is the window of the desktop application, which has a tray, toasts and no zoom keys of its own. */
  readonly isDesktop: boolean;
  /** Saves under that name and kind; the file is null when the person went back. */
  saveText(name: string, kind: SaveKind, text: Blob): Promise<Saved>;
  /** Only the desktop application: the host's bytes, straight into a file. */
  saveLog?(ticket: string, stream: 'stdout' | 'stderr' | null): Promise<Saved>;
  /** A bundle of evidence as a file; the file is null when the person went back. */
  saveEvidence(ticket: string, file: string): Promise<Saved>;
  /** Only the desktop application: shows one notification and tells what the system said to it. */
  testNotification?(): Promise<TestNotification>;
  /** Only the desktop application: start at sign-in as the system has it, set before where `on` is given; null = no such thing. */
  signIn?(on?: boolean): Promise<boolean | null>;
  /** Only the desktop application: shows the state directory; what is returned says why not, and is empty when it was shown. */
  openFolder?(): Promise<string>;
  /** Shows `#log/TICKET` in a window of its own; false when there can be none. */
  openLogWindow(ticket: string): Promise<boolean>;
  /** Only where a tray is; returns what ends it. */
  onOpen?(listener: (request: OpenRequest) => void): () => void;
}
