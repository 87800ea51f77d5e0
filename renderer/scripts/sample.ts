/** A first script that hurts nobody: ten lines in ten seconds, under the mutex "demo". */
import type { HostInfo, Input } from '../contract.ts';

export function sample(host: HostInfo): Input<'scripts.start'> {
  const command =
    host.platform === 'win32'
      ? ['cmd.exe', '/d', '/c', 'for /l %i in (1,1,10) do @(echo Line %i of 10& ping -n 2 127.0.0.1 >nul)']
      : ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do echo "Line $i of 10"; sleep 1; done'];
  return { name: 'Sample', command, isolation: { level: 'full', mutex: 'demo' } };
}
