/** Who is told of what, by which way: the setting `alerts`, and what is answered about it. */
import { z } from 'zod';
import { alertKinds } from '../domain/alerts.ts';
import { isLoopback } from '../domain/names.ts';

export const alertWays = ['command', 'webhook', 'mail'] as const;

const systemText = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), 'a NUL character cannot be handed to a program');
const path = systemText.max(1_000);
const common = {
  name: z.string().trim().min(1).max(64).describe('what this target is called; no two have the same'),
  kinds: z.array(z.enum(alertKinds)).min(1).optional().describe('absent = all'),
  lastOutput: z
    .boolean()
    .optional()
    .describe('also send the last lines of the script’s output, which can hold secrets; absent = no'),
};

const address = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((url) => url.startsWith('https:') || isLoopback(url), 'https, or http to this machine');

const CommandTarget = z.strictObject({
  to: z.literal('command'),
  ...common,
  command: z.array(systemText).min(1).max(100),
});
const WebhookTarget = z
  .strictObject({
    to: z.literal('webhook'),
    ...common,
    format: z.enum(['json', 'slack', 'teams', 'pagerduty']).optional().describe('absent = json'),
    url: address.optional().describe('everybody with a role can read it; one that is a secret goes into urlFile'),
    urlFile: path.optional().describe('file with the address'),
    keyFile: path.optional().describe('file with PagerDuty’s routing key, or with a bearer token for the others'),
    caFile: path.optional().describe('file with certificates (PEM) that are trusted beside the well-known ones'),
  })
  .refine(
    ({ format, url, urlFile }) =>
      [url, urlFile].filter((one) => one !== undefined).length === 1 ||
      (format === 'pagerduty' && url === undefined && urlFile === undefined),
    'give url or urlFile',
  )
  .refine(({ format, keyFile }) => format !== 'pagerduty' || keyFile !== undefined, 'pagerduty needs keyFile');
const MailTarget = z.strictObject({
  to: z.literal('mail'),
  ...common,
  from: z.email(),
  recipients: z.array(z.email()).min(1).max(20),
  sendmail: path
    .optional()
    .describe('program that takes the mail when there is no server; absent = /usr/sbin/sendmail'),
  server: z
    .strictObject({
      host: z.string().min(1).max(253),
      port: z.int().min(1).max(65_535).optional().describe('absent = 587, with tls implicit 465'),
      tls: z
        .enum(['starttls', 'implicit', 'none'])
        .optional()
        .describe('absent = starttls; none sends in the clear, and no password'),
      user: z.string().min(1).max(320).optional(),
      passwordFile: path.optional(),
      caFile: path.optional(),
    })
    .refine(
      ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
      'give user and passwordFile',
    )
    .refine(({ tls, user }) => tls !== 'none' || user === undefined, 'no password without TLS')
    .optional()
    .describe('SMTP; absent = sendmail'),
});

export const AlertTargets = z
  .array(z.discriminatedUnion('to', [CommandTarget, WebhookTarget, MailTarget]))
  .max(10)
  .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, 'two targets have one name');

export const AlertsView = z.strictObject({
  targets: z.array(
    z.strictObject({
      name: z.string(),
      to: z.enum(alertWays),
      kinds: z.array(z.enum(alertKinds)),
      pending: z.int().describe('messages that wait for their delivery'),
      failure: z.string().nullable().describe('why the latest try to deliver has failed'),
    }),
  ),
  current: z
    .array(
      z.strictObject({
        incident: z.string(),
        kind: z.enum(alertKinds),
        since: z.iso.datetime().describe('when it was first seen'),
        ticket: z.string().nullable(),
        text: z.string(),
      }),
    )
    .describe('facts that somebody was told of and that are not over'),
});
export const AlertsTestInput = z.strictObject({ target: z.string().optional().describe('absent = all') });
export const AlertsTested = z.strictObject({
  outcomes: z.array(
    z.strictObject({ target: z.string(), failure: z.string().nullable().describe('null = it was taken') }),
  ),
});
