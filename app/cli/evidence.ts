/** `unjam evidence`: saves a bundle of evidence beside a script's log, and into a file where one is named. */
import { open, rm } from 'node:fs/promises';
import { UnjamError } from '../contract/errors.ts';
import { isObservedId } from '../domain/observed-id.ts';
import { systemProblem } from '../domain/system-errors.ts';
import type { HostClient } from './command.ts';
import { withHost } from './connect.ts';
import { block, print, printJson } from './output.ts';

export async function evidence(ticket: string, options: { output?: string; json?: boolean }): Promise<void> {
  await withHost(async (client) => {
    const saved = await (isObservedId(ticket)
      ? client.call('observed.evidence', { id: ticket })
      : client.call('scripts.evidence', { ticket }));
    const path = options.output ?? saved.path;
    if (options.output !== undefined) await copyTo(client, ticket, saved.file, options.output);
    if (options.json) return printJson<'evidence'>({ ...saved, path });
    print(
      block([
        saved.collected
          ? `Saved ${path} (${Math.max(1, Math.round(saved.bytes / 1024))} KB). Its first page is README.md.`
          : `${path} was saved at ${saved.at}, while the processes of "${saved.ticket}" were still there.`,
        ...saved.missing.map((one) => `  Not in it: ${one}`),
      ]),
    );
  });
}

async function copyTo(client: HostClient, ticket: string, file: string, path: string): Promise<void> {
  const target = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'it exists' : (systemProblem(error)?.text ?? error.message);
    throw new UnjamError(
      'bad-input',
      `--output: "${path}" cannot be written: ${why}. The bundle was saved beside the log, as "${file}".`,
      'Name another file.',
      '--output',
    );
  });
  try {
    for (let from: number | null = 0; from !== null;) {
      const { base64, next }: { base64: string; next: number | null } = await client.call('evidence.read', { ticket, file, from }); // prettier-ignore
      await target.writeFile(Buffer.from(base64, 'base64'));
      from = next;
    }
  } catch (error) {
    await rm(path, { force: true }); // half a bundle looks like a whole one
    throw error;
  } finally {
    await target.close();
  }
}
