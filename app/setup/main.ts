/**
 * What the installer of Windows cannot do itself: `setup.js path add|remove FOLDER`. Its strings hold 1,024 characters, and
 * a PATH that is cut there has broken many a machine.
 */
import { changeMachinePath } from '../processes/windows/machine-path.ts';
import { withFolder, withoutFolder } from './path-list.ts';

const [what, how, folder] = process.argv.slice(2);
if (what !== 'path' || (how !== 'add' && how !== 'remove') || folder === undefined || folder.includes(';')) {
  process.stderr.write('usage: setup.js path add|remove FOLDER\n');
  process.exit(2);
}
const change = how === 'add' ? withFolder : withoutFolder;
try {
  changeMachinePath((path) => change(path, folder));
} catch (error) {
  process.stderr.write(`unjam: the PATH of this machine was not changed: ${(error as Error).message}\n`);
  process.exit(1);
}
