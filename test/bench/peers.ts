/**
 * Unjam beside other supervisors in one run: npm run bench -- peers [start|burst|idle|capture|tree]
 * pm2 comes from npm into `.cache/peers`; supervisord is taken when it is installed (Debian: apt-get install supervisor);
 * systemd-run when systemd is there. Prints a table, and the figures as JSON.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as m from './processes-measure.ts';
import { openPeers, type Peer } from './peers-open.ts';

const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'unjam-peers-'));
const figures: Record<string, Record<string, number | null>> = {};
let count = 0;

/** A bash script of its own, under a name that the peers know it by. */
function script(body: string): { name: string; path: string; cwd: string } {
  const name = `s${(count += 1)}`;
  const path = join(folder, `${name}.sh`);
  writeFileSync(path, body);
  return { name, path, cwd: folder };
}

/** A zombie has ended. */
function isAlive(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

const moment = (file: string): string => m.firstInstruction(file)[2] ?? '';

const benches: Record<string, (peer: Peer) => Promise<Record<string, number>>> = {
  async start(peer) {
    const file = join(folder, 'moment');
    const scripts = Array.from({ length: 20 }, () => script(moment(file)));
    await peer.know(scripts);
    const times: number[] = [];
    for (const one of scripts) {
      await peer.settled();
      const began = m.nowMs();
      await peer.start(one);
      times.push((await m.readMoment(file)) - began);
    }
    return { 'start to first instruction, p50, ms': m.percentile(times, 50), 'p95, ms': m.percentile(times, 95) };
  },

  async burst(peer) {
    const files = Array.from({ length: 50 }, (_, i) => join(folder, `moment-${i}`));
    const scripts = files.map((file) => script(moment(file)));
    await peer.know(scripts);
    await peer.settled();
    const began = m.nowMs();
    await Promise.all(scripts.map((one) => peer.start(one)));
    const moments = await Promise.all(files.map((file) => m.readMoment(file)));
    return { 'burst of 50, ms': Math.max(...moments) - began };
  },

  async idle(peer) {
    const scripts = Array.from({ length: 200 }, () => script('exec sleep 3600'));
    await peer.know(scripts);
    for (const one of scripts) await peer.start(one);
    await delay(45_000); // a runtime compiles and collects after so many starts
    const before = m.cpuMsOf(peer.pid);
    await delay(60_000);
    return {
      '200 idle scripts, CPU of the daemon, %': (m.cpuMsOf(peer.pid) - before) / 600,
      'private memory of the daemon, MB': m.privateMb(peer.pid),
    };
  },

  async capture(peer) {
    const bytes = 1024 ** 3;
    const times = join(folder, 'times');
    const one = script(
      `s=$EPOCHREALTIME; head -c ${bytes} /dev/zero; e=$EPOCHREALTIME; echo "$s $e" > ${times}.part; mv ${times}.part ${times}; sleep 3600`,
    );
    await peer.know([one]);
    const before = m.cpuMsOf(peer.pid);
    await peer.start(one);
    while (!existsSync(times)) await delay(5);
    const [s = 0, e = 0] = readFileSync(times, 'utf8').split(' ').map(Number);
    rmSync(times);
    return {
      'capture of 1 GiB, MB/s': bytes / 1024 ** 2 / (e - s),
      'CPU of the daemon meanwhile, ms': m.cpuMsOf(peer.pid) - before,
    };
  },

  async tree(peer) {
    const up = join(folder, 'up');
    const pids = join(folder, 'pids');
    const one = script(`for i in {1..99}; do sleep 3600 & done; jobs -p > ${pids}; touch ${up}; wait`);
    await peer.know([one]);
    await peer.start(one);
    while (!existsSync(up)) await delay(5);
    rmSync(up);
    const children = readFileSync(pids, 'utf8').trim().split('\n');
    const began = m.nowMs();
    await peer.kill(one);
    const left = children.filter(isAlive).length;
    return { 'end of a tree of 100, ms': m.nowMs() - began, 'processes left when it says so': left };
  },
};

const load = loadavg()[0];
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for await (const peer of openPeers(folder))
      for (const [what, value] of Object.entries(await bench(peer))) {
        (figures[what] ??= {})[peer.name] = Math.round(value * 100) / 100;
        console.log(`${what.padEnd(44)} ${peer.name.padEnd(14)} ${String(figures[what]?.[peer.name]).padStart(10)}`);
      }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify({ node: process.version, loadBefore: load, loadAfter: loadavg()[0], figures }));
