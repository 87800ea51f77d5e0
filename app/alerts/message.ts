/** What an alert says, and the shape that each receiver wants. Pure. */
import type { AlertKind, Known } from '../domain/alerts.ts';
import { roughDuration } from '../domain/durations.ts';
import { redact } from '../domain/redact.ts';
import { traceparentField } from '../domain/trace.ts';
import { plain, visibleLine } from '../domain/visible.ts';

/** The generic form: what a command reads on its standard input and a webhook of format `json` gets. */
export interface AlertMessage {
  /** The same when a delivery is repeated. */
  readonly id: string;
  /** The same in both messages of one fact. */
  readonly incident: string;
  readonly phase: 'begin' | 'end' | 'test';
  readonly kind: AlertKind | 'test';
  /** ISO times: of this message, and of when the fact was first seen. */
  readonly at: string;
  readonly since: string;
  readonly host: string;
  readonly ticket: string | null;
  readonly script: string | null;
  readonly mutex: string | null;
  readonly title: string;
  readonly text: string;
  /** The W3C trace of the script's caller; absent: none. */
  readonly traceparent?: string;
  /** Only for targets with `lastOutput`. */
  readonly lastOutput?: string;
}

const words: Record<AlertKind, string> = {
  stuck: 'Stuck',
  unkillable: 'Unkillable',
  abandoned: 'Abandoned',
  orphan: 'Orphan for over an hour',
  'mutex-wait': 'Long wait for a mutex',
  unwatched: 'Scripts were not watched',
};

export interface Written {
  readonly host: string;
  readonly now: number;
  /** What is said of the script now, when it is still listed. */
  readonly headline?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly lastOutput?: string | undefined;
}

/** Names and sentences come from scripts and callers: each is one line, without what looks like a secret. */
const safe = (text: string): string => redact(visibleLine(text));
const iso = (ms: number): string => new Date(ms).toISOString();

export function messageOf({ fact, incident, begunAt }: Known, phase: 'begin' | 'end', w: Written): AlertMessage {
  const { kind, ticket, script, mutex } = fact;
  const what = `${words[kind]}${script === null ? '' : `: ${safe(script)}`} on ${w.host}`;
  const over = `It lasted ${roughDuration(w.now - begunAt)}.${w.headline === undefined ? '' : ` Now: ${safe(w.headline)}`}`;
  return {
    id: `${incident}-${phase}`,
    incident,
    phase,
    kind,
    at: iso(w.now),
    since: iso(begunAt),
    host: w.host,
    ticket,
    script: script === null ? null : safe(script),
    mutex: mutex === null ? null : safe(mutex),
    title: phase === 'begin' ? what : `Over: ${what}`,
    text: phase === 'begin' ? safe(fact.text) : over,
    ...traceparentField(w.traceparent),
    ...(w.lastOutput ? { lastOutput: w.lastOutput } : {}),
  };
}

export const testMessage = (host: string, now: number, id: string): AlertMessage => ({
  id: `${id}-test`,
  incident: id,
  phase: 'test',
  kind: 'test',
  at: iso(now),
  since: iso(now),
  host,
  ticket: null,
  script: null,
  mutex: null,
  title: `Test of the alerts of Unjam on ${host}`,
  text: 'Nothing has happened. Somebody asked for this message with "unjam alerts test".',
});

const about = ({ ticket, mutex, since }: AlertMessage): readonly (readonly [string, string])[] => [
  ...(ticket === null ? [] : [['Ticket', ticket] as const]),
  ...(mutex === null ? [] : [['Mutex', mutex] as const]),
  ['Since', since],
];

/** For mail. */
export const plainText = (message: AlertMessage): string =>
  [
    message.text,
    '',
    ...about(message).map(([name, value]) => `${name}: ${value}`),
    ...(message.lastOutput === undefined ? [] : ['', 'Last output:', message.lastOutput]),
    '',
    `Message ${message.id} of Unjam on ${message.host}. It may come twice.`,
    '',
  ].join('\n');

export type Format = 'json' | 'slack' | 'teams' | 'pagerduty';

/** @param key PagerDuty's routing key */
export function bodyOf(message: AlertMessage, format: Format, key: string): unknown {
  const shapes: Record<Format, () => unknown> = {
    json: () => message,
    slack: () => ({ text: slackText(message) }),
    teams: () => teamsCard(message),
    pagerduty: () => pagerDutyEvent(message, key),
  };
  return shapes[format]();
}

/** https://docs.slack.dev/messaging/formatting-message-text: these three begin links, mentions and entities. */
const slackEscaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const slackText = (message: AlertMessage): string =>
  slackEscaped(
    [
      message.title,
      message.text,
      about(message)
        .map(([name, value]) => `${name}: ${value}`)
        .join(' · '),
      ...(message.lastOutput === undefined ? [] : [message.lastOutput]),
    ].join('\n'),
  );

/** A text run shows its text as it is; a text block would read it as Markdown. https://adaptivecards.io/explorer/TextRun.html */
function teamsCard(message: AlertMessage): unknown {
  const run = (text: string, more: object = {}): unknown => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...more }],
  });
  const body = [
    run(message.title, { weight: 'Bolder' }),
    run(message.text),
    ...about(message).map(([name, value]) => run(`${name}: ${value}`, { isSubtle: true })),
    ...(message.lastOutput === undefined ? [] : [run(message.lastOutput, { fontType: 'Monospace' })]),
  ];
  const content = { $schema: 'http://adaptivecards.io/schemas/adaptive-card.json', type: 'AdaptiveCard', version: '1.4', body }; // prettier-ignore
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

const severities: Partial<Record<AlertMessage['kind'], string>> = {
  stuck: 'critical',
  unkillable: 'critical',
  test: 'info',
};

/** https://developer.pagerduty.com/docs/send-alert-event: a summary has at most 1,024 characters. */
function pagerDutyEvent(message: AlertMessage, key: string): unknown {
  return {
    routing_key: key,
    event_action: message.phase === 'end' ? 'resolve' : 'trigger',
    dedup_key: message.incident,
    payload: {
      summary: plain(`${message.title}. ${message.text}`, 1_024),
      source: message.host,
      severity: severities[message.kind] ?? 'warning',
      timestamp: message.at,
      component: 'unjam',
      custom_details: message,
    },
  };
}
