/** Talks to a headless host over HTTP; events come as server-sent events and reconnect by themselves. */
import { logAddress } from '../state/navigation.svelte.ts';
import type {
  ConsoleClient,
  EventName,
  EventPayload,
  Input,
  Method,
  Output,
  Reply,
  Saved,
  SaveKind,
} from '../contract.ts';
import { fromBase64 } from '../words/base64.ts';
import { CallError, unreachable, valueOf } from './call-error.ts';

/** After the browser has given up on the event stream: how long until the next attempt. */
const reopenAfterMs = 2_000;
/** Long enough for a browser that asks where to put a download. */
const forgetAfterMs = 60_000;

/** The log-in page left it there; no other port and no other site can read it. */
const key = (): string => localStorage.getItem('unjam-key') ?? '';

export class BrowserClient implements ConsoleClient {
  readonly isDesktop = false;

  async call<M extends Method>(method: M, input: Input<M>, signal?: AbortSignal): Promise<Output<M>> {
    const response = await fetch(`/rpc/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-unjam-key': key() },
      body: JSON.stringify(input),
      signal: signal ?? null,
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error instanceof TypeError ? unreachable() : error;
    });
    const reply = (await response.json().catch(() => {
      signal?.throwIfAborted();
      throw response.status === 401 || response.status === 403 ? unauthorized() : unreachable();
    })) as Reply<Output<M>>;
    return valueOf(reply);
  }

  /** As a download: where it goes is the browser's business. */
  saveText(name: string, kind: SaveKind, text: Blob): Promise<Saved> {
    return Promise.resolve(download(`${name.replace(/[^\w .-]+/g, '_')}.${kind}`, text));
  }

  async saveEvidence(ticket: string, file: string): Promise<Saved> {
    const parts: BlobPart[] = [];
    for (let from: number | null = 0; from !== null;) {
      const part: Output<'evidence.read'> = await this.call('evidence.read', { ticket, file, from });
      parts.push(fromBase64(part.base64));
      from = part.next;
    }
    return download(file, new Blob(parts, { type: 'application/zip' }));
  }

  /** One tab for each log, of the same origin and so with the same session; null where the browser forbids it. */
  openLogWindow(ticket: string): Promise<boolean> {
    const tab = open(`${location.pathname}${logAddress(ticket)}`, `unjam-log-${ticket}`);
    tab?.focus();
    return Promise.resolve(tab !== null);
  }

  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void, onLost?: () => void): () => void {
    let source: EventSource | undefined;
    let reopening: ReturnType<typeof setTimeout> | undefined;
    const open = (): void => {
      source = new EventSource(`/events?key=${encodeURIComponent(key())}`);
      source.addEventListener(event, (message: MessageEvent<string>) => {
        listener(JSON.parse(message.data) as EventPayload<E>);
      });
      source.addEventListener('error', () => {
        onLost?.();
        if (source?.readyState === EventSource.CLOSED) reopening = setTimeout(open, reopenAfterMs);
      });
    };
    open();
    return () => {
      clearTimeout(reopening);
      source?.close();
    };
  }
}

function download(name: string, content: Blob): Saved {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), forgetAfterMs);
  return { file: name, bytes: content.size };
}

function unauthorized(): CallError {
  return new CallError({
    code: 'unauthorized',
    message: 'This page is no longer signed in: Unjam was started again, or the link has been used elsewhere.',
    next: 'Open the console again with "unjam open".',
  });
}
