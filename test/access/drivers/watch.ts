/** A client of an ordinary user with an open subscription; tells its test what it hears of one script. */
import { clientOf } from '../../../app/access/client.ts';
import { whichStateDirectory } from '../../../app/access/state-directory.ts';

const [, , ticket] = process.argv;
const reached = await clientOf(await whichStateDirectory(), { user: 'watch', via: 'api' }, 20_000);
if (reached === null) throw new Error('There is no host.');
reached.client.on(
  'snapshot',
  ({ scripts }) => {
    const script = scripts.find((one) => one.ticket === ticket);
    if (script) process.send?.(script.condition.headline);
  },
  (why) => {
    throw new Error(why);
  },
);
process.once('disconnect', () => process.exit());
