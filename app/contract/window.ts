/**
 * What only the desktop application can do, because it has windows. The page asks through the same bridge as for a
 * method; a host without windows answers `unknown-method`, and the page helps itself.
 */
import { z } from 'zod';
import type { Reply } from './methods.ts';
import { Ticket } from './schemas.ts';

/** What the tray or a notification asks the page to show (event `open`). It only ever opens something; a person presses the verbs. */
export type OpenRequest =
  | { readonly view: 'scripts' | 'settings' }
  | { readonly view: 'script'; readonly ticket: string; readonly dialog: 'cancel' | 'kill' | 'abandon' | 'log' | null };

/** What main sends to the page. `offline`: no host answers; the next snapshot says that one does again. */
export type WindowEvent = 'snapshot' | 'open' | 'offline';

/** What the page finds as `window.bridge`. */
export interface Bridge {
  /** Never rejects for a refusal: the reply says `ok: false` then. */
  call(method: string, input: unknown): Promise<Reply>;
  /** Returns what ends it. */
  on(event: WindowEvent, listener: (payload: unknown) => void): () => void;
}

export const saveKinds = ['log', 'csv', 'json'] as const;
/** What a page can hand over to be saved, characters; a whole log goes by `window.saveLog`. */
const savedTextMax = 64 * 1_048_576;

/** `file` is the name of the file that was written; null when the person went back. */
const Saved = z.strictObject({ file: z.string().nullable(), bytes: z.int() });

export const windowMethods = {
  /** Opens the address `#log/TICKET` in a window of its own, or brings the one that shows it to the front. */
  'window.openLog': { input: z.strictObject({ ticket: Ticket }), output: z.strictObject({}) },
  /** Asks for a file and writes the log's bytes into it as they are: without lines of Unjam, with colours. */
  'window.saveLog': {
    input: z.strictObject({ ticket: Ticket, stream: z.enum(['stdout', 'stderr']).optional() }),
    output: Saved,
  },
  /** Asks for a file and writes a bundle of evidence of the host into it. */
  'window.saveEvidence': { input: z.strictObject({ ticket: Ticket, file: z.string().max(100) }), output: Saved },
  /** Asks for a file and writes a text into it that the page has made. The name is a proposal, without an extension. */
  'window.saveText': {
    input: z.strictObject({
      name: z.string().min(1).max(300),
      kind: z.enum(saveKinds),
      text: z.string().max(savedTextMax),
    }),
    output: Saved,
  },
  /** Shows one notification as the real ones are shown, beside their budget; `text` says what came of it. */
  'window.testNotification': {
    input: z.strictObject({}),
    output: z.strictObject({ shown: z.boolean(), text: z.string() }),
  },
  /** Start at sign-in of this user, as the system has it now, after it was set where `on` is given. Null = it has none. */
  'window.signIn': {
    input: z.strictObject({ on: z.boolean().optional() }),
    output: z.strictObject({ on: z.boolean().nullable() }),
  },
  /** Shows the state directory in the file manager; `text` says why not, and is empty when it was shown. */
  'window.openFolder': { input: z.strictObject({}), output: z.strictObject({ text: z.string() }) },
} as const;

export type WindowMethod = keyof typeof windowMethods;
export type WindowInput<M extends WindowMethod> = z.input<(typeof windowMethods)[M]['input']>;
export type WindowParsed<M extends WindowMethod> = z.output<(typeof windowMethods)[M]['input']>;
export type WindowOutput<M extends WindowMethod> = z.output<(typeof windowMethods)[M]['output']>;
