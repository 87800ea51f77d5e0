/** `npm run torture -- NAME [how long]`: one torture as long as you like; without a name, says which there are. */
import { runOne } from '../support/run-one.ts';

runOne('torture', import.meta.dirname, /^([\w-]+)-long\.ts$/);
