/** Settings: layers, files and the registry's words, with real files in a folder of their own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnjamError } from '../../app/contract/errors.ts';
import { Settings } from '../../app/contract/settings-schemas.ts';
import { defaultSettings, policyKeys, policyName, observedSettingsOf } from '../../app/settings/known.ts';
import { policySource, type PolicySource } from '../../app/settings/policy-source.ts';
import { noRegistry, policyValues } from '../../app/settings/registry.ts';
import { SettingsStore } from '../../app/settings/store.ts';
import { weakenings } from '../../app/settings/weaken.ts';

const kim = { user: 'kim', via: 'cli' } as const;
let folder: string;
let said: string[];
let stores: SettingsStore[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-settings-'));
  said = [];
  stores = [];
});
afterEach(() => {
  for (const store of stores) store.close();
  rmSync(folder, { recursive: true, force: true });
});

const own = (): string => join(folder, 'settings.json');
const machine = (): string => join(folder, 'policy.json');

async function open(more: Partial<PolicySource> = {}): Promise<SettingsStore> {
  const source: PolicySource = { machineFile: machine(), distrust: () => null, registry: noRegistry, ...more };
  const store = await SettingsStore.open(folder, source, (line) => said.push(line));
  stores.push(store);
  return store;
}

const registry = (values: Record<string, unknown>): Partial<PolicySource> => ({
  registry: { read: async () => values },
});

async function refusal(act: () => Promise<unknown>): Promise<UnjamError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof UnjamError) return error;
  }
  throw new Error('It was not refused.');
}

describe('settings', () => {
  it('have defaults that their own schema accepts', () => {
    expect(Settings.parse(defaultSettings)).toEqual(defaultSettings);
  });

  it('are kept in a file of their own, owner-only, and are there again after a restart', async () => {
    await (await open()).change({ values: { silentAfterMinutes: 3, theme: 'dark' } }, kim);
    expect((await open()).values).toEqual({ ...defaultSettings, silentAfterMinutes: 3, theme: 'dark' });
    expect(readdirSync(folder)).toEqual(['settings.json']);
  });

  it('get their default again with reset', async () => {
    const store = await open();
    await store.change({ values: { silentAfterMinutes: 3, overdueFactor: 2.5 } }, kim);
    const view = await store.change({ reset: ['silentAfterMinutes'] }, kim);
    expect(view.values.silentAfterMinutes).toBe(10);
    expect(view.entries.find((e) => e.key === 'silentAfterMinutes')?.source).toBe('default');
    expect(view.entries.find((e) => e.key === 'overdueFactor')?.source).toBe('user');
  });

  it('keep what this version does not know, and say so', async () => {
    writeFileSync(
      own(),
      '\ufeff{"theme":"dark","fromTheFuture":{"a":1},"silentAfterMinutes":-4,"disableAbandon":true}',
    );
    const store = await open();
    expect(store.values).toEqual({ ...defaultSettings, theme: 'dark' });
    expect(store.view().problems).toHaveLength(3);
    expect(said.join()).toContain('"fromTheFuture" is not known to this version');
    expect(said.join()).toContain('"silentAfterMinutes" is -4, which cannot be used');
    await store.change({ values: { keepHistoryDays: 60 } }, kim);
    expect(JSON.parse(readFileSync(own(), 'utf8'))).toMatchObject({ fromTheFuture: { a: 1 }, keepHistoryDays: 60 });
  });

  it('of an earlier version are kept in the file and ignored, and what still exists holds', async () => {
    const earlier = {
      hotKey: 'Ctrl+Alt+U',
      letterKeys: { n: 'j' },
      'notifications.quietHours': true,
      textSizePercent: 120,
      theme: 'dark',
      scriptRules: [
        { name: 'Backup *', silentAfterMinutes: 120, overdueMinMinutes: 5 },
        { name: 'Only the earlier limit', overdueMinMinutes: 5 },
      ],
    };
    writeFileSync(own(), JSON.stringify(earlier));
    const store = await open();
    expect(store.values).toEqual({
      ...defaultSettings,
      theme: 'dark',
      scriptRules: [{ name: 'Backup *', silentAfterMinutes: 120 }],
    });
    expect(said.join()).toContain('"hotKey" is not known to this version; it is kept and not used');
    await store.change({ values: { theme: 'light' } }, kim);
    expect(JSON.parse(readFileSync(own(), 'utf8'))).toEqual({ ...earlier, theme: 'light' });
  });

  it.each(['{"theme":"dark"', '[]', '', '\u0000\u0000\u0000'])(
    'set a damaged file (%j) aside and say where',
    async (text) => {
      writeFileSync(own(), text);
      const store = await open();
      expect(store.values).toEqual(defaultSettings);
      const [aside] = readdirSync(folder).filter((name) => name.startsWith('settings.json.damaged-'));
      expect(readFileSync(join(folder, aside ?? ''), 'utf8')).toBe(text);
      expect(store.view().problems[0]).toContain(aside);
      expect(existsSync(own())).toBe(false);
    },
  );

  it('that are changed at the same time are all kept', async () => {
    const store = await open();
    await Promise.all([
      store.change({ values: { silentAfterMinutes: 3 } }, kim),
      store.change({ values: { theme: 'dark' } }, kim),
      store.change({ values: { keepHistoryDays: 60 } }, kim),
    ]);
    expect(JSON.parse(readFileSync(own(), 'utf8'))).toEqual({
      silentAfterMinutes: 3,
      theme: 'dark',
      keepHistoryDays: 60,
    });
  });

  it('that cannot be kept are refused and change nothing', async () => {
    const store = await open();
    rmSync(folder, { recursive: true });
    expect((await refusal(() => store.change({ values: { theme: 'dark' } }, kim))).code).toBe('state-directory');
    expect(store.values.theme).toBe('system');
  });
});

describe('policies', () => {
  it('win over the person, and the registry wins over the machine file', async () => {
    writeFileSync(own(), '{"silentAfterMinutes":1,"overdueFactor":9,"cancelGraceSeconds":7}');
    writeFileSync(machine(), '{"SilentAfterMinutes":2,"OverdueFactor":8}');
    const store = await open(registry({ SILENTAFTERMINUTES: 3 }));
    expect(store.values).toMatchObject({ silentAfterMinutes: 3, overdueFactor: 8, cancelGraceSeconds: 7 });
    const keys = ['silentAfterMinutes', 'overdueFactor', 'cancelGraceSeconds', 'theme'];
    const sources = new Map(store.view().entries.map((e) => [e.key as string, e.source]));
    expect(keys.map((key) => sources.get(key))).toEqual(['policy', 'machine', 'user', 'default']);
  });

  it('lock what they set, for a change and for a reset', async () => {
    const store = await open(registry({ SilentAfterMinutes: 3 }));
    const error = await refusal(() => store.change({ values: { theme: 'dark', silentAfterMinutes: 5 } }, kim));
    expect(error.message).toContain('set by your administrator (policy SilentAfterMinutes)');
    expect(error.field).toBe('values.silentAfterMinutes');
    expect((await refusal(() => store.change({ reset: ['silentAfterMinutes'] }, kim))).code).toBe('not-possible');
    expect(store.values).toMatchObject({ theme: 'system', silentAfterMinutes: 3 });
  });

  it('alone switch a verb off', async () => {
    const store = await open();
    expect((await refusal(() => store.change({ values: { disableForceKill: true } }, kim))).message).toContain(
      'only an administrator',
    );
    writeFileSync(machine(), '{"disableForceKill":1,"Theme":"dark"}');
    await store.readPolicies();
    expect(store.values).toMatchObject({ disableForceKill: true, theme: 'system' });
  });

  it('set rules for scripts as a whole, as a list in the machine file and as JSON in the registry', async () => {
    writeFileSync(own(), '{"scriptRules":[{"name":"mine","overdueFactor":9}]}');
    writeFileSync(machine(), '{"ScriptRules":[{"name":"a*","overdueFactor":2}]}');
    expect((await open()).values.scriptRules).toEqual([{ name: 'a*', overdueFactor: 2 }]);
    const store = await open(registry({ ScriptRules: '[{"name":"b*","silentAfterMinutes":5}]' }));
    expect(store.values.scriptRules).toEqual([{ name: 'b*', silentAfterMinutes: 5 }]);
    expect((await refusal(() => store.change({ values: { scriptRules: [] } }, kim))).code).toBe('not-possible');
    const broken = await open(registry({ ScriptRules: '[{"name":"b*"' }));
    expect(broken.values.scriptRules).toEqual([{ name: 'a*', overdueFactor: 2 }]);
    expect(broken.view().problems.join()).toContain('"ScriptRules" is');
  });

  it('name accounts and targets of alerts as JSON in the registry', async () => {
    const access = [{ who: 'CORP\\oncall', role: 'operator' }] as const;
    const alerts = [{ to: 'command', name: 'ops', command: ['page.exe'] }] as const;
    const store = await open(registry({ Access: JSON.stringify(access), Alerts: JSON.stringify(alerts) }));
    expect(store.values).toMatchObject({ access, alerts });
    expect(store.view().problems).toEqual([]);
  });

  it('hold on while the registry cannot be read', async () => {
    let works = true;
    const store = await open({
      registry: {
        read: async () => {
          if (!works) throw new Error('no answer');
          return { DisableAbandon: 1 };
        },
      },
    });
    works = false;
    await store.readPolicies();
    expect(store.values.disableAbandon).toBe(true);
    expect(store.view().problems.join()).toContain('no answer');
  });

  it('in a file that others can write are not believed, and that is said', async () => {
    writeFileSync(machine(), '{"DisableAbandon":true}');
    const store = await open({ distrust: () => 'others than root can write it' });
    expect(store.values.disableAbandon).toBe(false);
    expect(said.join()).toContain('others than root can write it');
  });

  it('on Windows come from ProgramData only for the host that lives there', () => {
    const environment = { ProgramData: 'C:\\ProgramData' };
    expect(policySource('win32', '/home/kim/unjam', environment).machineFile).toBeNull();
    expect(policySource('linux', '/home/kim/unjam', environment).machineFile).toBe('/etc/unjam/policy.json');
  });
});

describe('the registry', () => {
  it('is read from what reg.exe prints', () => {
    expect(
      policyValues({
        DisableForceKill: 1,
        OverdueFactor: '2.5',
        BusyCpuPercent: '0,5',
        KeepFinishedDays: 7n,
        Name: 'grün €',
        Access: ['a', 'b'],
        Nothing: '',
      }),
    ).toEqual({
      DisableForceKill: 1,
      OverdueFactor: 2.5,
      BusyCpuPercent: 0.5,
      KeepFinishedDays: 7,
      Name: 'grün €',
      Access: ['a', 'b'],
      Nothing: '',
    });
  });
});

describe('the templates for Group Policy', () => {
  const read = (path: string): string => readFileSync(join(import.meta.dirname, '../../assets/policy', path), 'utf8');
  const admx = read('unjam.admx');
  const adml = read('en-US/unjam.adml');

  it('set exactly what is read', () => {
    const named = [...admx.matchAll(/valueName="([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(policyKeys.map(policyName)));
    expect(admx.match(/ key="([^"]+)"/g)?.every((key) => key === ' key="Software\\Policies\\Unjam"')).toBe(true);
  });

  it('have a text for every reference, and no other', () => {
    const used = new Set([...admx.matchAll(/\$\((?:string|presentation)\.([^)]+)\)/g)].map(([, name]) => name));
    const there = new Set([...adml.matchAll(/<(?:string|presentation) id="([^"]+)"/g)].map(([, name]) => name));
    expect(there).toEqual(used);
  });

  it('allow the bounds that Unjam allows', () => {
    for (const [, valueName, min, max] of admx.matchAll(
      /valueName="(\w+)" required="true" minValue="(\d+)" maxValue="(\d+)"/g,
    )) {
      const key = policyKeys.find((known) => policyName(known) === valueName);
      expect(key).toBeDefined();
      for (const value of [min, max]) expect(Settings.shape[key!].safeParse(Number(value)).success).toBe(true);
    }
  });
});

it('a change of who may use the host, or may read logs, weakens a guard', () => {
  const closed = { ...defaultSettings, viewersReadLogs: false };
  expect(weakenings(closed, { values: { access: [{ who: 'guest', role: 'viewer' }] } })).toHaveLength(1);
  expect(weakenings(closed, { values: { viewersReadLogs: true } })).toHaveLength(1);
  expect(weakenings(closed, { reset: ['viewersReadLogs'] })).toHaveLength(1);
  expect(weakenings(defaultSettings, { values: { viewersReadLogs: false } })).toEqual([]);
});

it('agents that are not looked at are named before the change, and reach what looks', () => {
  const some = { ...defaultSettings, ignoredAgents: ['cron'], lockPaths: ['/srv/deploy.lock'] };
  expect(observedSettingsOf(some)).toMatchObject({ ignore: ['cron'], lockPaths: ['/srv/deploy.lock'] });
  expect(weakenings(some, { values: { ignoredAgents: ['cron', 'ssh'] } })).toEqual([
    'Scripts of these agents are not listed any more: ssh.',
  ]);
  expect(weakenings(some, { reset: ['ignoredAgents', 'lockPaths'] })).toEqual([]);
});
