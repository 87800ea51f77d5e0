/** Hands one message to one target: runs its command, posts to its address, or sends mail. */
import { homedir } from 'node:os';
import { traceparentField, traceVariable } from '../domain/trace.ts';
import { visibleLine, visibleOutput } from '../domain/visible.ts';
import { runCommand } from '../outgoing/command.ts';
import { post } from '../outgoing/post.ts';
import { type AlertMessage, bodyOf } from './message.ts';
import { contentOf, secretIn, type Target } from './target.ts';

type Webhook = Extract<Target, { to: 'webhook' }>;

/** Null when it was taken, else why not; the reason holds no secret. */
export type Deliver = (target: Target, message: AlertMessage) => Promise<string | null>;

const pagerDuty = 'https://events.pagerduty.com/v2/enqueue';

export const deliver: Deliver = async (target, message) => {
  try {
    switch (target.to) {
      case 'command': {
        const env = environmentOf(message);
        return await runCommand(target.command, { cwd: homedir(), env, input: `${JSON.stringify(message)}\n` });
      }
      case 'webhook':
        return await postTo(target, message);
      case 'mail':
        return await (await import('./mail.ts')).mail(target, message);
    }
  } catch (error) {
    return (error as Error).message;
  }
};

const environmentOf = (m: AlertMessage): Record<string, string> => ({
  UNJAM_RUN: 'none',
  UNJAM_ALERT_ID: m.id,
  UNJAM_ALERT_INCIDENT: m.incident,
  UNJAM_ALERT_PHASE: m.phase,
  UNJAM_ALERT_KIND: m.kind,
  UNJAM_ALERT_TITLE: m.title,
  UNJAM_ALERT_TEXT: m.text,
  UNJAM_TICKET: m.ticket ?? '',
  UNJAM_NAME: visibleLine(m.script ?? ''),
  UNJAM_MUTEX: visibleLine(m.mutex ?? ''),
  ...traceVariable(m.traceparent),
  ...(m.lastOutput === undefined ? {} : { UNJAM_LAST_OUTPUT: visibleOutput(m.lastOutput) }),
});

async function postTo(target: Webhook, message: AlertMessage): Promise<string | null> {
  const { format = 'json', url, urlFile, keyFile, caFile } = target;
  const address = urlFile === undefined ? (url ?? pagerDuty) : secretIn(urlFile);
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) return `"${urlFile}" holds no address`;
  const key = keyFile === undefined ? '' : secretIn(keyFile);
  const isBearer = key !== '' && format !== 'pagerduty';
  const failed = await post(address, JSON.stringify(bodyOf(message, format, key)), {
    headers: {
      'idempotency-key': message.id,
      ...traceparentField(message.traceparent),
      ...(isBearer ? { authorization: `Bearer ${key}` } : {}),
    },
    ...(caFile === undefined ? {} : { ca: contentOf(caFile) }),
  });
  return failed && `${new URL(address).host}: ${failed}`;
}
