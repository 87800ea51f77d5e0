/** `unjam check-fence`: tells a script whether the hold that it was started with is still its own. Asks no host. */
import { isHeld } from '../check-fence.ts';
import { UnjamError } from '../contract/errors.ts';
import { runsOf } from '../domain/script.ts';
import { stateDirectory } from '../processes/index.ts';
import { block, print, say } from './output.ts';

/** Exit statuses of docs/exit-codes.md. */
const status = { taken: 176, unknown: 177 } as const;

/** @throws UnjamError `bad-input` outside of a script that was started under a mutex */
export async function checkFence(environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const name = variable(environment, 'UNJAM_MUTEX');
  const fence = Number(variable(environment, 'UNJAM_FENCE', /^[1-9]\d{0,14}$/));
  const run = variable(environment, 'UNJAM_RUN').split('/').at(-1) ?? '';
  variable(environment, 'UNJAM_HOME');
  const hold = `hold of mutex "${name}" (fence ${fence})`;
  try {
    const holds = await isHeld(name, runsOf(run), fence, stateDirectory(environment));
    if (holds) print(block([`The ${hold} is still this script's.`]));
    else {
      say(`The ${hold} is not this script's any more: it was taken away, or has ended.`);
      process.exitCode = status.taken;
    }
  } catch (error) {
    say(`Whether the ${hold} is still this script's cannot be told. ${(error as Error).message.replace(/\.$/, '')}.`);
    process.exitCode = status.unknown;
  }
}

/** @throws UnjamError `bad-input` when it is missing or not what Unjam sets */
function variable(environment: NodeJS.ProcessEnv, name: string, form = /./): string {
  const value = environment[name] ?? '';
  if (form.test(value)) return value;
  throw new UnjamError(
    'bad-input',
    value === ''
      ? `${name} is not set: no script that holds a mutex asks.`
      : `${name} is "${value}", which is no fence.`,
    'Call it in a script that was started with "unjam run --mutex", "unjam start --mutex" or "unjam hold".',
    name,
  );
}
