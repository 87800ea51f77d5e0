/**
 * How long it takes until another person's client is told of a Cancel: npm run bench -- seen [rounds, 30 when absent]
 * From the call until the snapshot with the person's name; both are clients of one host with 50 scripts.
 */
import { loadavg } from 'node:os';
import { HttpClient } from '../../app/api/http-client.ts';
import { World } from '../support/world.ts';
import { percentile } from './processes-measure.ts';

const rounds = Number(process.argv[2] ?? '30');
const world = await World.open();
const { address, token } = world.hostFile();
const other = new HttpClient({ address, token, actor: { user: 'sam', via: 'api' }, timeoutMs: 20_000 });
const times: number[] = [];
try {
  for (let i = 0; i < 50; i += 1) await world.start('trap "" TERM; while :; do sleep 3600 & wait; done', { ticket: `s${i}` }); // prettier-ignore
  for (let round = 0; round < Math.min(rounds, 50); round += 1) {
    const ticket = `s${round}`;
    await world.until(ticket, (s) => s.state === 'running');
    let began = 0;
    const seen = world.until(ticket, (s) => s.condition.headline.includes('sam'));
    await world.client.call('host.info', {}); // the subscription is open by now
    began = performance.now();
    await other.call('scripts.cancel', { ticket, graceMs: 3_600_000, escalate: false });
    await seen;
    times.push(performance.now() - began);
  }
} finally {
  other.close();
  await world[Symbol.asyncDispose]();
}
const ms = (p: number): number => Math.round(percentile(times, p));
console.log(JSON.stringify({ rounds: times.length, p50: ms(50), p95: ms(95), max: ms(100), load: loadavg()[0] }));
