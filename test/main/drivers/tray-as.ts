/** The tray of the user that this process runs as: the shell around stand-ins for Electron, a client of the machine's host. */
import { whichStateDirectory } from '../../../app/access/state-directory.ts';
import { openApplication } from '../../../app/host/application.ts';
import { ShellWorld } from '../shell-world.ts';

export interface Order {
  readonly method: string;
  readonly input: unknown;
}

const stateDirectory = await whichStateDirectory();
const world = new ShellWorld({ open: () => openApplication({ stateDirectory, log: () => undefined }) });
// The person presses the button that acts, whatever is asked.
world.dialog.showMessageBox = async () => ({ response: 1, checkboxChecked: false });
await new Promise<void>((resolve) => {
  world.engine.subscribe((state) => {
    if (state.kind !== 'starting') resolve();
  });
  void world.engine.start();
});
world.openWindow();
process.on(
  'message',
  ({ method, input }: Order) => void world.call(method, input).then((reply) => process.send?.(reply)),
);
process.once('disconnect', () => void world.engine.close().then(() => process.exit()));
process.send?.({ ready: world.engine.state.kind, menu: world.menu().map((item) => item.label ?? '') });
