/** `unjam drill`: starts the fire drill and says how to get out of it. */
import { UnjamError } from '../contract/errors.ts';
import { connect } from './connect.ts';
import { print, printJson } from './output.ts';

export async function drill(options: { minutes?: string; json?: boolean }): Promise<void> {
  const minutes = options.minutes === undefined ? undefined : Number(options.minutes);
  if (minutes !== undefined && !(minutes >= 0.1 && minutes <= 60))
    throw new UnjamError(
      'bad-input',
      `--minutes: "${options.minutes}" is not a number from 0.1 to 60.`,
      'Leave it out for 15 minutes.',
      '--minutes',
    );
  const client = await connect();
  try {
    const started = await client.call('drill.start', minutes === undefined ? {} : { minutes });
    if (options.json) return printJson<'drill'>(started);
    const { hung, waiting } = started;
    print(
      [
        `The fire drill has begun. It is harmless and ends by itself at ${started.endsBy}.`,
        `"${hung.name}" (ticket ${hung.ticket}, PID ${hung.pid ?? 'not known yet'}) holds the mutex "${started.mutex}"; ${waiting.length} scripts are waiting behind it.`,
        'Free them as you would at night, in this order:',
        `  1. unjam cancel ${hung.ticket} --no-escalate --grace 5s   it will ignore this`,
        `  2. unjam kill ${hung.ticket}                             its processes end, and the next script starts`,
        `  3. unjam abandon ${hung.ticket}                          for what even Force Kill cannot end: try it in another drill`,
        `"unjam ps" calls it stuck within half a minute; "unjam why ${hung.ticket}" tells more.`,
        `At the end "unjam status ${hung.ticket}" shows how long you took.`,
      ].join('\n'),
    );
  } finally {
    client.close();
  }
}
