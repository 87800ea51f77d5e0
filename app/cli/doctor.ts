/** `unjam doctor`: tries what a deployment would need, on this machine, and says what is missing. */
import { randomBytes } from 'node:crypto';
import { UnjamError } from '../contract/errors.ts';
import type { JsonDocument } from '../contract/json-documents.ts';
import { whichStateDirectory } from '../access/state-directory.ts';
import { version } from '../version.ts';
import { connect } from './connect.ts';
import { block, print, printJson } from './output.ts';

type Finding = JsonDocument<'doctor'>['findings'][number];

export async function doctor(options: { json?: boolean }): Promise<void> {
  const findings = await examine();
  if (options.json) printJson<'doctor'>({ findings });
  else
    print(
      block(
        findings.flatMap((f) => [
          `${f.ok ? 'ok  ' : 'BAD '} ${f.check}: ${f.text}`,
          ...(f.next === null ? [] : [`     Next: ${f.next}`]),
        ]),
      ),
    );
  if (findings.some((f) => !f.ok)) process.exitCode = 1;
}

async function examine(): Promise<Finding[]> {
  const good = (check: string, text: string): Finding => ({ check, ok: true, text, next: null });
  const bad = (check: string, text: string, next: string): Finding => ({ check, ok: false, text, next });
  const findings: Finding[] = [];
  const major = Number(process.versions.node.split('.')[0]);
  findings.push(
    major >= 24
      ? good('runtime', `Node ${process.versions.node}`)
      : bad('runtime', `Node ${process.versions.node} is too old`, 'Run it with Node 24 or newer.'),
    good('state directory', await whichStateDirectory()),
  );
  try {
    const client = await connect();
    try {
      const host = await client.call('host.info', {});
      findings.push(
        host.version === version
          ? good('host', `PID ${host.pid}, Unjam ${host.version}, up since ${host.startedAt}`)
          : bad(
              'host',
              `PID ${host.pid} is Unjam ${host.version}, this command is ${version}`,
              'Run "unjam serve --take-over".',
            ),
        host.elevated
          ? good('rights', `${host.user}, administrator: processes of every user can be ended`)
          : good('rights', `${host.user}, not an administrator: processes of other users cannot be ended`),
      );
      findings.push(...(host.warnings ?? []).map(({ text, next }) => bad('host', text, next)));
      if (host.outdated != null)
        findings.push(
          bad(
            'program',
            `the host's program is not the one that it started from: ${host.outdated}; it cannot start scripts`,
            'Run "unjam serve --take-over".',
          ),
        );
      if (host.killDisabled)
        findings.push(
          bad('kill', 'UNJAM_DEBUG_DISABLE_KILL is set: no kill is sent', 'Unset it and start the host again.'),
        );
      const ticket = `doctor-${randomBytes(4).toString('hex')}`;
      const script = await client.call('scripts.start', {
        ticket,
        name: 'unjam doctor',
        command: [process.execPath, '-e', 'process.stdout.write("fit"); process.exit(7)'],
        isolation: { level: 'full', mutex: `unjam ${ticket}`, timeoutMs: 10_000 },
        waitMs: 20_000,
      });
      const log = await client.call('logs.read', { ticket, stream: 'stdout', waitMs: 2_000 });
      const said = log.entries.map((e) => e.text).join('');
      findings.push(
        script.exitCode === 7 && said === 'fit'
          ? good('script', 'a script ran under a mutex; its output and exit code arrived')
          : bad(
              'script',
              `a script under a mutex ended as ${script.verdict ?? script.state}: ${script.condition.headline}`,
              `Look at "unjam logs ${ticket}".`,
            ),
      );
      if (script.exitCode === 7) await client.call('scripts.complete', { ticket });
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof UnjamError)) throw error;
    findings.push(bad('host', error.message, error.next));
  }
  return findings;
}
