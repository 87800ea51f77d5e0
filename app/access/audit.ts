/**
 * Every command leaves a trace: who, from which process, through which door, and what came of it. The three verbs and
 * resume write their own lines into the journal, with the evidence of that moment; the others are written here.
 */
import type { Gate } from '../contract/dispatcher.ts';
import type { Method } from '../contract/methods.ts';
import type { HostLog } from '../domain/host-log.ts';
import type { JournalEntry, JournalKind } from '../journal/journal.ts';

export interface AuditParts {
  readonly journal: { append(entry: JournalEntry): void };
  readonly log: HostLog;
  readonly now: () => number;
}

type Audit = NonNullable<Gate['audit']>;
type Call = Parameters<Audit>[0];

const journaled: Partial<Record<Method, { readonly kind: JournalKind; readonly what: string }>> = {
  'scripts.start': { kind: 'start', what: 'Start' },
  'scripts.complete': { kind: 'complete', what: 'Complete' },
  'settings.set': { kind: 'settings', what: 'Change of the settings' },
  'host.retire': { kind: 'retire', what: 'Retire' },
  'drill.start': { kind: 'drill', what: 'Drill' },
  'console.open': { kind: 'console', what: 'Address of the console' },
};
/** Somebody who may not could fill the journal with it: once in this time for each account and method, ms. */
const refusedEveryMs = 60_000;
const rememberedMax = 1_000;

export function auditor({ journal, log, now }: AuditParts): Audit {
  const refusedAt = new Map<string, number>();

  return ({ method, input, caller, error }) => {
    const at = now();
    const isForbidden = error?.code === 'forbidden';
    if (isForbidden) {
      const key = `${caller.user} ${method}`;
      if (at - (refusedAt.get(key) ?? -Infinity) < refusedEveryMs) return;
      if (refusedAt.size > rememberedMax) refusedAt.clear();
      refusedAt.set(key, at);
    }
    const ticket = ticketOf(input);
    const code = isForbidden ? 'W330' : 'I330';
    const where = caller.from === undefined ? caller.via : `${caller.via}, ${caller.from}`;
    const entry = journaled[method];
    const what = `${entry?.what ?? method}${ticket === null ? '' : ` of ${ticket}`}`;
    const text = `${what} by ${caller.user} (${where}): ${error === null ? 'done' : `refused, ${error.code}`}.`;
    log(`${code} ${text}`, { ticket });
    const kind = isForbidden ? 'refused' : error === null ? entry?.kind : undefined;
    if (kind === undefined) return;
    journal.append({
      at,
      ticket,
      name: null,
      mutex: null,
      who: caller.user,
      via: caller.via,
      kind,
      code,
      text: `${text}${changeOf({ method, input })}`,
      source: null,
      data: { from: caller.from ?? null, role: caller.role },
    });
  };
}

const ticketOf = (input: unknown): string | null => {
  const ticket = typeof input === 'object' && input !== null && 'ticket' in input ? input.ticket : null;
  return typeof ticket === 'string' && /^[\w .@#-]{1,128}$/.test(ticket) ? ticket : null;
};

/** What was changed, so that the journal answers "who switched that off?". */
function changeOf({ method, input }: Pick<Call, 'method' | 'input'>): string {
  if (method !== 'settings.set' || typeof input !== 'object' || input === null) return '';
  try {
    return ` ${JSON.stringify(input).slice(0, 2_000)}`;
  } catch {
    return ' What was sent is nested too deeply to be written here.';
  }
}
