/**
 * Save: a person chooses the file in the system's dialog, and main writes it. The page names neither folder nor kind of
 * file; the bytes of a log come from the host and not from the page.
 */
import { open, rm } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { BrowserWindow, Dialog, SaveDialogOptions } from 'electron';
import type { Caller, Dispatch } from '../../app/contract/dispatcher.ts';
import type { Output, Reply } from '../../app/contract/methods.ts';
import type { saveKinds, WindowOutput, WindowParsed } from '../../app/contract/window.ts';
import type { OneQuestion } from './question.ts';
import { refuse } from './door.ts';

export interface SaveParts {
  readonly dispatch: Dispatch;
  readonly dialog: Pick<Dialog, 'showSaveDialog'>;
  readonly parent: () => BrowserWindow | null;
  readonly exclusively: OneQuestion;
}

type Kind = (typeof saveKinds)[number] | 'zip';
type Saved = WindowOutput<'window.saveLog'>;

const kindNames: Readonly<Record<Kind, string>> = {
  log: 'Log',
  csv: 'Comma-separated values',
  json: 'JSON',
  zip: 'Zip archive',
};
const pageBytes = 4_194_304;

/** Bytes that are written one after the other; throws what the host refuses, as a reply. */
type Content = AsyncIterable<Buffer>;

export function createSave(parts: SaveParts) {
  return {
    /** The script's bytes as they were, from the host. */
    log: (input: WindowParsed<'window.saveLog'>, caller: Caller): Promise<Reply> =>
      save(parts, 'log', `${input.ticket}${input.stream === undefined ? '' : `.${input.stream}`}`, () =>
        logBytes(parts.dispatch, input, caller),
      ),
    /** A bundle of evidence, from the host. */
    evidence: (input: WindowParsed<'window.saveEvidence'>, caller: Caller): Promise<Reply> =>
      save(parts, 'zip', input.file.replace(/\.zip$/, ''), () => bundleBytes(parts.dispatch, input, caller)),
    /** What the page has made out of what it shows. */
    text: ({ name, kind, text }: WindowParsed<'window.saveText'>): Promise<Reply> =>
      save(parts, kind, name, async function* () {
        yield Buffer.from(text, 'utf8');
      }),
  };
}

async function save(parts: SaveParts, kind: Kind, name: string, content: () => Content): Promise<Reply> {
  const place: { path: string | null } = { path: null };
  const asked = await parts.exclusively(async () => {
    place.path = await choose(parts, kind, name);
    return { ok: true, value: null };
  });
  if (!asked.ok) return asked;
  if (place.path === null) return { ok: true, value: { file: null, bytes: 0 } satisfies Saved };
  return write(place.path, kind, content());
}

async function choose(parts: SaveParts, kind: Kind, name: string): Promise<string | null> {
  const options: SaveDialogOptions = {
    title: 'Save',
    defaultPath: `${fileName(name)}.${kind}`,
    filters: [{ name: kindNames[kind], extensions: [kind] }],
    properties: ['showOverwriteConfirmation'],
  };
  const parent = parts.parent();
  const answer = await (parent === null
    ? parts.dialog.showSaveDialog(options)
    : parts.dialog.showSaveDialog(parent, options));
  return answer.canceled || answer.filePath === '' ? null : answer.filePath;
}

/**
 * A file of another kind is never written: what the page hands over must not become a program or a start-up script. The
 * dialog has not asked whether a file with the longer name may be replaced, so that one is not.
 */
async function write(chosen: string, kind: Kind, content: Content): Promise<Reply> {
  const asChosen = extname(chosen).toLowerCase() === `.${kind}`;
  const path = asChosen ? chosen : `${chosen}.${kind}`;
  try {
    const file = await open(path, asChosen ? 'w' : 'wx');
    let bytes = 0;
    try {
      for await (const part of content) {
        await file.writeFile(part);
        bytes += part.length;
      }
    } catch (error) {
      await file.close();
      await rm(path, { force: true }); // half a log looks like a whole one
      throw error;
    }
    await file.close();
    return { ok: true, value: { file: basename(path), bytes } satisfies Saved };
  } catch (error) {
    if (error instanceof Refused) return error.reply;
    return refuse(
      'not-possible',
      `"${basename(path)}" could not be written: ${error instanceof Error ? error.message : String(error)}.`,
      'Choose another folder or name.',
    );
  }
}

class Refused extends Error {
  readonly reply: Reply;
  constructor(reply: Reply) {
    super('The host refused it.');
    this.reply = reply;
  }
}

/** As far as the log reached when it was asked for: one that grows faster than it is written would never end. */
async function* logBytes(
  dispatch: Dispatch,
  { ticket, stream }: WindowParsed<'window.saveLog'>,
  caller: Caller,
): Content {
  const only = stream === undefined ? {} : { stream };
  for (let from = 0, end = Infinity; from < end;) {
    const reply = await dispatch('logs.read', { ticket, from, raw: true, maxBytes: pageBytes, ...only }, caller);
    if (!reply.ok) throw new Refused(reply);
    const page = reply.value as Output<'logs.read'>;
    for (const entry of page.entries) if (entry.base64 !== undefined) yield Buffer.from(entry.base64, 'base64');
    end = Math.min(end, page.size);
    if (page.next <= from) return;
    from = page.next;
  }
}

async function* bundleBytes(dispatch: Dispatch, input: WindowParsed<'window.saveEvidence'>, caller: Caller): Content {
  for (let from: number | null = 0; from !== null;) {
    const reply = await dispatch('evidence.read', { ...input, from }, caller);
    if (!reply.ok) throw new Refused(reply);
    const part = reply.value as Output<'evidence.read'>;
    yield Buffer.from(part.base64, 'base64');
    from = part.next;
  }
}

/** A proposal that every file system takes: no separators, no control characters, no device names, not endless. */
export function fileName(name: string): string {
  const plain = name
    .replace(/[^\p{L}\p{N} ._-]+/gu, '_')
    .replace(/^[. ]+|[. ]+$/g, '')
    .slice(0, 100);
  return plain === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `unjam-${plain}` : plain;
}
