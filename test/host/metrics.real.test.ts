/** The host in numbers: what really happened is counted, and the text is what Prometheus reads. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { canHavePromtool, promtool } from '../support/promtool.ts';
import { root, World } from '../support/world.ts';

/** Text format 0.0.4, strictly: a line that is none of it fails. */
function parse(exposition: string): Map<string, number> {
  const samples = new Map<string, number>();
  let family = '';
  for (const line of exposition.trimEnd().split('\n')) {
    const head = /^# (?:HELP (\w+) [^\n]+|TYPE (\w+) (?:gauge|counter|histogram))$/.exec(line);
    if (head) {
      family = head[1] ?? head[2] ?? '';
      continue;
    }
    const sample =
      /^((\w+?)(?:_bucket|_sum|_count)?(?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (-?\d+(?:\.\d+)?)$/.exec(line);
    if (!sample || !line.startsWith(family)) throw new Error(`Not of the text format: ${line}`);
    expect(samples.has(sample[1] ?? '')).toBe(false);
    samples.set(sample[1] ?? '', Number(sample[3]));
  }
  return samples;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function scrape(world: World, accept = '*/*'): Promise<{ type: string | undefined; body: string }> {
  const { address, token } = world.hostFile();
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: address, path: '/metrics', headers: { authorization: `Bearer ${token}`, accept } }, (answer) => {
      text(answer).then((body) => resolve({ type: answer.headers['content-type'], body }), reject);
    }); // prettier-ignore
    asked.on('error', reject);
    asked.end();
  });
}

test('scripts, waits, verdicts and actions are counted, and no name stands in it', async () => {
  await using world = await World.open();
  const hung = await world.startHung('secret-mutex');
  const waiter = await world.start('exit 0', { ticket: 'w', isolation: { level: 'full', mutex: 'secret-mutex' } });
  await world.until(hung.ticket, (s) => s.blocks === 1);
  const before = await scrape(world);
  expect(before.type).toBe('text/plain; version=0.0.4; charset=utf-8');
  const first = parse(before.body);
  const open = await scrape(world, 'application/openmetrics-text; version=1.0.0');
  expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  const reader = 'import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as read; print(*[f.name for f in read(sys.stdin.read())])'; // prettier-ignore
  const families = spawnSync('/usr/bin/python3', ['-c', reader], { input: open.body, encoding: 'utf8' });
  expect(families.stderr).toBe('');
  expect(families.stdout.trim().split(' ')).toEqual(
    [...before.body.matchAll(/^# TYPE (\w+?)(?:_total)? /gm)].map(([, name]) => name),
  );
  expect(Object.fromEntries(first)).toMatchObject({
    'unjam_scripts{state="running"}': 1,
    'unjam_scripts{state="queued"}': 1,
    unjam_waiters: 1,
    unjam_mutexes_held: 1,
    unjam_orphans: 0,
    'unjam_actions_total{action="abandon"}': 0,
    unjam_lock_wait_seconds_count: 1,
  });
  expect(first.get('unjam_oldest_wait_seconds')).toBeGreaterThan(0);

  await world.client.call('scripts.abandon', { ticket: hung.ticket, reason: 'test' });
  await world.untilFinal(waiter.ticket);
  const after = parse((await world.cli('metrics')).stdout);
  expect(Object.fromEntries(after)).toMatchObject({
    unjam_orphans: 1,
    unjam_waiters: 0,
    unjam_oldest_wait_seconds: 0,
    'unjam_verdicts_total{verdict="abandoned"}': 1,
    'unjam_verdicts_total{verdict="exited"}': 1,
    'unjam_actions_total{action="abandon"}': 1,
    unjam_scripts_started_total: 2,
    'unjam_alerts_total{outcome="delivered"}': 0,
    unjam_lock_wait_seconds_count: 2,
    'unjam_lock_wait_seconds_bucket{le="+Inf"}': 2,
  });
  expect(after.get('unjam_runner_starts_total')).toBeGreaterThanOrEqual(2);
  expect(before.body).not.toMatch(/secret-mutex|Deploy web/);
  const documented = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  for (const [, name = ''] of before.body.matchAll(/^# TYPE (\w+)/gm)) expect(documented).toContain(`\`${name}\``);
  for (const [name = ''] of documented.matchAll(/unjam_\w+(?=[`{ ])/g))
    expect(before.body).toContain(`# TYPE ${name} `);
  // The same on a port, by the lines of the page.
  const block = /```sh\n([^]*?)```/.exec(documented)?.[1] ?? '';
  const port = await freePort();
  const curl = (line: string) =>
    spawnSync('bash', ['-c', line.replace('9464', String(port))], {
      env: { ...process.env, UNJAM_HOME: world.home },
      encoding: 'utf8',
    });
  const [set, read] = block.trim().split('\n').map(curl);
  expect([set?.status, set?.stdout]).toEqual([0, expect.stringContaining('"ok":true')]);
  expect([...parse(read?.stdout ?? '').keys()]).toEqual([...after.keys()]);
  await world.client.call('settings.set', { reset: ['metricsPort'] });
  await expect.poll(() => curl(`curl --silent http://127.0.0.1:9464/metrics`).status, { timeout: 20_000 }).toBe(7);
  if (!canHavePromtool) return;
  const checked = spawnSync(await promtool(), ['check', 'metrics'], { input: before.body, encoding: 'utf8' });
  expect(checked).toMatchObject({ status: 0, stderr: '' });
});

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

describe.runIf(canHavePromtool)('what the page gives to Prometheus and Grafana', () => {
  const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  const rules = /^groups:[^]*?(?=```)/m.exec(page)?.[0] ?? '';
  const inFolder = async (files: Record<string, string>, ...words: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-test-'));
    try {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
      const { status, stdout, stderr } = spawnSync(await promtool(), words, { cwd: folder, encoding: 'utf8' });
      return { status, said: `${stdout}${stderr}` };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('each rule becomes an alert when it should, and none does on a quiet host', async () => {
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name);
    const fire = (at: string, wanted: readonly string[]) =>
      alerts.map((alertname) => ({
        eval_time: at,
        alertname,
        exp_alerts: wanted.includes(alertname) ? [{ exp_labels: labelsOf[alertname] ?? {} }] : [],
      }));
    const labelsOf: Record<string, object> = { UnjamUnkillable: { state: 'unkillable' } };
    const series = (value: string) =>
      ['unjam_scripts_stuck', 'unjam_scripts{state="unkillable"}', 'unjam_orphans', 'unjam_oldest_wait_seconds'].map(
        (name) => ({ series: name, values: name === 'unjam_oldest_wait_seconds' ? `${value}x90`.replace('1+0', '1801+0') : `${value}x90` }),
      ); // prettier-ignore
    const group = (value: string, ...times: [string, readonly string[]][]) => ({
      interval: '1m',
      input_series: series(value),
      alert_rule_test: times.flatMap(([at, wanted]) => fire(at, wanted)),
    });
    const early = ['UnjamUnkillable', 'UnjamLongWait'];
    const asked = {
      rule_files: ['rules.yml'],
      evaluation_interval: '1m',
      tests: [group('0+0', ['80m', []]), group('1+0', ['1m', early], ['10m', [...early, 'UnjamStuck']], ['80m', alerts])],
    }; // prettier-ignore
    const answer = await inFolder(
      { 'rules.yml': rules, 'test.yml': JSON.stringify(asked) },
      'test',
      'rules',
      'test.yml',
    );
    expect(answer).toMatchObject({ status: 0 });
  });

  test('every question of the dashboard is one that Prometheus takes, about metrics of the page', async () => {
    const { panels } = JSON.parse(readFileSync(join(root, 'docs/examples/grafana.json'), 'utf8')) as {
      panels: Panel[];
    };
    const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')));
    const names = asked.flatMap((expr) => expr.match(/unjam_\w+/g) ?? []);
    expect(names.filter((name) => !page.includes(`\`${name.replace(/_bucket$/, '')}\``))).toEqual([]);
    const rule = (expr: string, n: number) => ({ record: `panel:${n}`, expr });
    const file = JSON.stringify({ groups: [{ name: 'dashboard', rules: asked.map(rule) }] });
    expect(await inFolder({ 'panels.yml': file }, 'check', 'rules', 'panels.yml')).toEqual({
      status: 0,
      said: expect.stringContaining(`${asked.length} rules found`) as string,
    });
  });
});
