/** Sends a message as mail, through SMTP or a local sendmail. Loaded with nodemailer only when mail is sent. */
import { rootCertificates } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { runCommand } from '../outgoing/command.ts';
import { type AlertMessage, plainText } from './message.ts';
import { contentOf, secretIn, type Target } from './target.ts';

type Mail = Extract<Target, { to: 'mail' }>;
type Server = NonNullable<Mail['server']>;

/** One step of the exchange, and the whole of it, ms. */
const stepMs = 10_000;
const boundMs = 30_000;

/** Null when it was taken, else why not. @throws what a file that is named in the target throws */
export async function mail(target: Mail, message: AlertMessage): Promise<string | null> {
  const letter = letterOf(target, message);
  if (target.server !== undefined) return throughServer(target.server, letter);
  const { message: raw } = await createTransport({ streamTransport: true, buffer: true }).sendMail(letter);
  const command = [target.sendmail ?? '/usr/sbin/sendmail', '-i', '-f', target.from, '--', ...target.recipients];
  return runCommand(command, { cwd: '/', env: { UNJAM_RUN: 'none' }, input: raw as Buffer });
}

const letterOf = ({ from, recipients }: Mail, message: AlertMessage): SendMailOptions => ({
  from,
  to: [...recipients],
  subject: message.title,
  text: plainText(message),
  messageId: `<${message.id}@unjam>`,
  ...(message.phase === 'end' ? { inReplyTo: `<${message.incident}-begin@unjam>` } : {}),
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Unjam-Alert': message.kind },
});

async function throughServer(server: Server, letter: SendMailOptions): Promise<string | null> {
  const { host, port, tls = 'starttls', user, passwordFile, caFile } = server;
  const ca = caFile === undefined ? {} : { ca: [...rootCertificates, contentOf(caFile)] };
  const transport = createTransport({
    host,
    port: port ?? (tls === 'implicit' ? 465 : 587),
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: ca,
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    ...(user === undefined || passwordFile === undefined ? {} : { auth: { user, pass: secretIn(passwordFile) } }),
  });
  const bound = new AbortController();
  try {
    return await Promise.race([
      transport.sendMail(letter).then(() => null),
      delay(boundMs, `${host} did not take it within ${boundMs / 1_000} s`, { signal: bound.signal, ref: false }),
    ]);
  } catch (error) {
    return `${host}: ${(error as Error).message.replaceAll(/\s+/g, ' ').trim()}`;
  } finally {
    bound.abort();
    transport.close();
  }
}
