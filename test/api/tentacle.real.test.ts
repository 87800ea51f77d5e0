/**
 * The rows T11 to T63 of the catalogue of Tentacle's own tests, asked of the host through docs/tentacle.md. That page
 * lists the rows that cannot be asked, and says where Unjam answers otherwise.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execFile, spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end, rootOf, runnerOf, runOf, untilFile } from '../support/wreck.ts';
import { root, World } from '../support/world.ts';

interface Status {
  readonly Ticket: { readonly TaskId: string };
  readonly State: 0 | 1 | 2;
  readonly ExitCode: number;
  readonly Logs: readonly { readonly Source: number; readonly Text: string; readonly Occurred: string }[];
  readonly NextLogSequence: number;
}

const [pending, running, complete] = [0, 1, 2] as const;
const [noIsolation, fullIsolation] = [0, 1] as const;
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(async () => await world[Symbol.asyncDispose]());

function post(verb: string, body: unknown): Promise<{ status: number; value: unknown }> {
  return new Promise((resolve, reject) => {
    const { address, token } = world.hostFile();
    const call = request(
      { socketPath: address, path: `/tentacle/v2/${verb}`, method: 'POST', headers: { authorization: `Bearer ${token}` } },
      (answer) => {
        buffer(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, value: JSON.parse(bytes.toString()) as unknown }),
          reject,
        );
      },
    ); // prettier-ignore
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}

async function ask(verb: string, body: unknown = {}): Promise<unknown> {
  const { status, value } = await post(verb, body);
  expect([verb, status, value]).toEqual([verb, 200, value]);
  return value;
}

const startScript = (TaskId: string, ScriptBody: string, more: object = {}): Promise<Status> =>
  ask('StartScript', {
    ScriptBody,
    Isolation: noIsolation,
    ScriptIsolationMutexTimeout: '00:00:00',
    IsolationMutexName: null,
    Arguments: [],
    TaskId: `ServerTasks-${TaskId}`,
    ScriptTicket: { TaskId },
    DurationToWaitForScriptToFinish: null,
    ...more,
  }) as Promise<Status>;
const about =
  (verb: string) =>
  (TaskId: string, LastLogSequence = 0) =>
    ask(verb, { Ticket: { TaskId }, LastLogSequence }) as Promise<Status>;
const getStatus = about('GetStatus');
const cancelScript = about('CancelScript');
const abandonScript = about('AbandonScript');
const completeScript = (TaskId: string): Promise<unknown> => ask('CompleteScript', { Ticket: { TaskId } });

const holding = (IsolationMutexName: string) => ({ Isolation: fullIsolation, IsolationMutexName });
const file = (name: string): string => join(world.home, name);
const untilThere = (name: string): string => `until [ -e '${file(name)}' ]; do sleep 0.05; done`;
const make = (name: string): void => writeFileSync(file(name), '');
const texts = ({ Logs }: Status): string[] => Logs.filter(({ Source }) => Source < 2).map(({ Text }) => Text);

/** As a client polls. `each` sees every answer. */
async function until(
  ticket: string,
  wanted: (status: Status) => boolean,
  each: (status: Status) => void = () => undefined,
): Promise<Status> {
  let logs: Status['Logs'] = [];
  for (let after = 0; ; await delay(20)) {
    const status = await getStatus(ticket, after);
    each(status);
    logs = logs.concat(status.Logs);
    after = status.NextLogSequence;
    if (wanted({ ...status, Logs: logs })) return { ...status, Logs: logs };
    if (status.State === complete) throw new Error(`${ticket} ended with ${status.ExitCode}: ${JSON.stringify(logs)}`);
  }
}
const isComplete = ({ State }: Status): boolean => State === complete;
const isRunning = ({ State }: Status): boolean => State === running;
const untilComplete = (ticket: string): Promise<Status> => until(ticket, isComplete);

const stubborn = 'trap "" TERM INT; sleep 3600 & wait; sleep 3600';
/** A script that ignores Cancel and has begun to; answers its process. */
async function startStubborn(ticket: string, mutex: string) {
  await startScript(ticket, `trap "" TERM INT; touch '${file(ticket)}.up'; ${stubborn}`, holding(mutex));
  await untilFile(file(`${ticket}.up`));
  return rootOf(world, ticket.toLowerCase());
}
const isAlive = (identity: ReturnType<typeof rootOf>): boolean => world.control.liveness(identity) === 'alive';
/** A second script under the same mutex runs to its end. */
async function expectFree(ticket: string, mutex: string): Promise<void> {
  await startScript(ticket, 'echo mine', holding(mutex));
  expect(await untilComplete(ticket)).toMatchObject({ ExitCode: 0 });
}

/** A client that gives up on Cancel: three times, then Abandon. */
async function escalate(ticket: string): Promise<Status> {
  for (let calls = 0; ; calls += 1, await delay(20)) {
    const status = await (calls < 3 ? cancelScript(ticket) : abandonScript(ticket));
    if (status.State === complete) return status;
  }
}

let restart: Promise<void> | null = null;
/** The host is killed while two scripts run; the runner of "Lost" and the script itself go with it. */
const restarted = (): Promise<void> =>
  (restart ??= (async () => {
    await startScript('Lost', `echo begun; ${untilThere('never')}`);
    await startScript('Kept', `echo before; touch '${file('kept.up')}'; ${untilThere('kept.go')}; echo after; exit 9`);
    await until('Lost', (s) => isRunning(s));
    await untilFile(file('kept.up'));
    const [process_, runner] = [rootOf(world, 'lost'), runnerOf(world, 'lost')];
    await world.killHost();
    await end(world, runner, process_);
    await world.startHost();
  })());

/** A row, what it promises in the words of the catalogue or of docs/tentacle.md, and how it is asked. */
const rows: readonly (readonly [row: string, promise: string, run: () => Promise<void>])[] = [
  ['T11', 'a script is executed: Complete, 0, more than one line', async () => {
    await startScript('T11', 'echo one; echo two');
    const status = await untilComplete('T11');
    expect(status).toMatchObject({ ExitCode: 0, Ticket: { TaskId: 'T11' } });
    expect(texts(status)).toEqual(['one', 'two']);
  }],
  ['T12', 'a failing script has its own exit code', async () => {
    await startScript('T12', 'exit 3');
    expect(await untilComplete('T12')).toMatchObject({ ExitCode: 3 });
  }],
  ['T13', 'five scripts without isolation run at the same time', async () => {
    const tickets = [1, 2, 3, 4, 5].map((n) => `T13-${n}`);
    for (const ticket of tickets) await startScript(ticket, `touch '${file(ticket)}'; ${untilThere('T13.go')}`);
    for (const ticket of tickets) await untilFile(file(ticket));
    for (const ticket of tickets) expect(await getStatus(ticket)).toMatchObject({ State: running, ExitCode: 0 });
    make('T13.go');
    for (const ticket of tickets) expect(await untilComplete(ticket)).toMatchObject({ ExitCode: 0 });
  }],
  ['T14', 'a script is Running soon', async () => {
    await startScript('T14', untilThere('T14.go'));
    await until('T14', isRunning);
    make('T14.go');
    await untilComplete('T14');
  }],
  ['T15', 'a script that takes its time completes with 0', async () => {
    await startScript('T15', 'sleep 1');
    expect(await untilComplete('T15')).toMatchObject({ ExitCode: 0 });
  }],
  ['T16', 'StartScript waits for a short script and answers with its end and its lines', async () => {
    const status = await startScript('T16', 'echo quick', { DurationToWaitForScriptToFinish: '00:01:00' });
    expect(status).toMatchObject({ State: complete, ExitCode: 0 });
    expect(texts(status)).toEqual(['quick']);
  }],
  ['T17', 'StartScript does not wait for a long one: Running, 0, with the lines so far', async () => {
    const body = `echo begun; ${untilThere('T17.go')}`;
    expect((await startScript('T17', body, { DurationToWaitForScriptToFinish: '00:00:00.2' })).State).not.toBe(complete);
    await until('T17', ({ State, Logs }) => State === running && Logs.some(({ Text }) => Text === 'begun'));
    make('T17.go');
    expect(await untilComplete('T17')).toMatchObject({ ExitCode: 0 });
  }],
  ['T18', 'a second body for the same ticket never runs', async () => {
    await startScript('T18', `touch '${file('T18.first')}'`);
    await untilComplete('T18');
    expect(await startScript('T18', `touch '${file('T18.second')}'`)).toMatchObject({ State: complete, ExitCode: 0 });
    expect([existsSync(file('T18.first')), existsSync(file('T18.second'))]).toEqual([true, false]);
  }],
  ['T19', 'a hundred starts of one ticket at the same time are one run', async () => {
    const body = (n: number): string => `echo ${n} >> '${file('T19.runs')}'`;
    await Promise.all(Array.from({ length: 100 }, (_, n) => startScript('T19', body(n))));
    expect(await untilComplete('T19')).toMatchObject({ ExitCode: 0 });
    expect(readFileSync(file('T19.runs'), 'utf8').trim().split('\n')).toHaveLength(1);
  }],
  ['T20', 'CancelScript ends a running script: Complete, not 0', async () => {
    await startScript('T20', 'sleep 3600');
    await until('T20', isRunning);
    await cancelScript('T20');
    expect(await untilComplete('T20')).toMatchObject({ ExitCode: -43 });
  }],
  ['T21', 'the workspace is there while the script is known, and CompleteScript removes it', async () => {
    const folders = [join(world.home, 'tentacle', 't21'), join(world.home, 'runs', 't21')];
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, false]);
    await startScript('T21', 'pwd');
    expect(folders.map((folder) => existsSync(folder))).toEqual([true, true]);
    expect(texts(await untilComplete('T21'))).toEqual([folders[0]]);
    await completeScript('T21');
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, false]);
    expect(await getStatus('T21')).toMatchObject({ State: complete, ExitCode: -45 });
  }],
  ['T22', 'GetStatus of an unknown ticket is -45', async () => {
    expect(await getStatus('nobody', 7)).toEqual({ Ticket: { TaskId: 'nobody' }, State: complete, ExitCode: -45, Logs: [], NextLogSequence: 7 }); // prettier-ignore
  }],
  ['T23', 'CancelScript of an unknown ticket is -45', async () => {
    expect(await cancelScript('nobody')).toMatchObject({ State: complete, ExitCode: -45, Logs: [] });
  }],
  ['T24', 'CompleteScript of an unknown ticket is no error', async () => {
    expect(await completeScript('nobody')).toBeNull();
  }],
  ['T25', 'GetStatus of a script whose end nobody saw is -46', async () => {
    await restarted();
    const status = await untilComplete('Lost');
    expect(status).toMatchObject({ ExitCode: -46 });
    expect(texts(status)).toEqual(['begun']);
  }],
  ['T26', 'CancelScript of it is -46', async () => {
    await restarted();
    await untilComplete('Lost');
    expect(await cancelScript('Lost')).toMatchObject({ State: complete, ExitCode: -46 });
  }],
  ['T27', 'CompleteScript of it is no error', async () => {
    await restarted();
    await untilComplete('Lost');
    expect(await completeScript('Lost')).toBeNull();
  }],
  ['T28', 'the host keeps when a script was made, began and ended, and its code', async () => {
    await startScript('T28', `${untilThere('T28.go')}; exit 4`);
    await until('T28', isRunning);
    const before = await world.get('T28');
    expect(before).toMatchObject({ startedAt: expect.any(String) as string, endedAt: null, exitCode: null });
    make('T28.go');
    await untilComplete('T28');
    const after = { createdAt: before.createdAt, startedAt: before.startedAt, verdict: 'exited', exitCode: 4 };
    expect(await world.get('T28')).toMatchObject({ ...after, endedAt: expect.any(String) as string });
  }],
  ['T29', 'a ticket is found in capitals and without', async () => {
    await startScript('T29Case', 'exit 5');
    await untilComplete('T29Case');
    for (const ticket of ['t29case', 'T29CASE']) expect(await getStatus(ticket)).toMatchObject({ ExitCode: 5 });
  }],
  ['T30', 'a script that is abandoned while it waits for the mutex ends as cancelled, and never ran', async () => {
    await startScript('T30-holder', untilThere('T30.go'), holding('t30'));
    await startScript('T30', `touch '${file('T30.ran')}'`, holding('t30'));
    await until('T30', ({ State }) => State === pending);
    await abandonScript('T30');
    await cancelScript('T30');
    expect(await untilComplete('T30')).toMatchObject({ ExitCode: -43 });
    make('T30.go');
    await untilComplete('T30-holder');
    expect(existsSync(file('T30.ran'))).toBe(false);
  }],
  ['T31', 'AbandonScript of an unknown ticket is Complete and -45', async () => {
    expect(await abandonScript('nobody')).toMatchObject({ State: complete, ExitCode: -45, Logs: [] });
  }],
  ['T32', 'AbandonScript of a running script is -48, and stays it at a second call and at a Cancel', async () => {
    await startScript('T32', 'echo hung; sleep 3600');
    await until('T32', ({ Logs }) => Logs.some(({ Text }) => Text === 'hung'));
    await abandonScript('T32');
    expect(await untilComplete('T32')).toMatchObject({ ExitCode: -48 });
    for (const verb of [abandonScript, cancelScript]) expect(await verb('T32')).toMatchObject({ State: complete, ExitCode: -48 }); // prettier-ignore
  }],
  ['T33', 'AbandonScript of a script that is Complete answers its own code', async () => {
    await startScript('T33', 'exit 0');
    await untilComplete('T33');
    expect(await abandonScript('T33')).toMatchObject({ State: complete, ExitCode: 0 });
  }],
  ['T34', 'CompleteScript after an abandon is no error when the folders must stay, and a warning names them', async () => {
    await startScript('T34', 'sleep 3600');
    await until('T34', isRunning);
    await abandonScript('T34');
    expect(await completeScript('T34')).toBeNull();
    const warned = await world.client.call('history.list', { ticket: 'T34' });
    expect(warned.map(({ text }) => text).join('\n')).toMatch(/Could not delete ".*t34" after the abandon/);
    expect(existsSync(join(world.home, 'tentacle', 't34'))).toBe(true);
  }],
  ['T39', 'the log has what a script prints, and an error stops the rest', async () => {
    await startScript('T39', 'set -e; echo before; false; echo after');
    const status = await untilComplete('T39');
    expect([texts(status), status.ExitCode]).toEqual([['before'], 1]);
  }],
  ['T40', 'of a cancelled script the log has the first line and not the last', async () => {
    await startScript('T40', 'echo Starting; sleep 3600; echo Finito');
    await until('T40', ({ Logs }) => Logs.some(({ Text }) => Text === 'Starting'));
    await cancelScript('T40');
    expect(texts(await untilComplete('T40'))).toEqual(['Starting']);
  }],
  ['T41', 'a client polls a few times, completes once and cancels never; the lines are in order', async () => {
    const step = (n: number): string => `echo ${n}; ${untilThere(`T41.${n}`)}`;
    await startScript('T41', `${step(1)}; ${step(2)}; ${step(3)}; echo 4`);
    let polls = 0;
    const status = await until('T41', isComplete, (seen) => {
      polls += 1;
      for (const line of texts(seen)) make(`T41.${line}`);
    });
    expect(texts(status)).toEqual(['1', '2', '3', '4']);
    expect(polls).toBeGreaterThanOrEqual(3);
    await completeScript('T41');
  }],
  ['T42', 'a wait in StartScript saves every GetStatus', async () => {
    const status = await startScript('T42', 'sleep 0.2; exit 6', { DurationToWaitForScriptToFinish: '00:01:00' });
    expect(status).toMatchObject({ State: complete, ExitCode: 6 });
  }],
  ['T43', 'a host that is restarted keeps the lines so far, and the script: it has its own code', async () => {
    await restarted();
    expect(await until('Kept', isRunning)).toMatchObject({ Logs: expect.arrayContaining([expect.objectContaining({ Text: 'before' })]) as object }); // prettier-ignore
    make('kept.go');
    const status = await untilComplete('Kept');
    expect([texts(status), status.ExitCode]).toEqual([['before', 'after'], 9]);
  }],
  ['T44', 'a long script that is cancelled stops, and the log says by whom', async () => {
    await startScript('T44', 'sleep 3600');
    await until('T44', isRunning);
    const process_ = rootOf(world, 't44');
    await cancelScript('T44');
    const { Logs } = await untilComplete('T44');
    expect(isAlive(process_)).toBe(false);
    expect(Logs.filter(({ Source }) => Source === 2).map(({ Text }) => Text).join('\n')).toMatch(/Cancel/);
    await completeScript('T44');
  }],
  ['T46', 'arguments, files and the body for this system reach the script', async () => {
    await startScript('T46', 'exit 1', {
      Arguments: ['a b', '"quoted" $HOME'],
      Files: [{ Name: 'payload.txt', Contents: Buffer.from('päyload\n').toString('base64') }],
      Scripts: { PowerShell: 'exit 2', Bash: 'cat payload.txt\r\nprintf "%s\\n" "$@"\r\n' },
    });
    const status = await untilComplete('T46');
    expect([texts(status), status.ExitCode]).toEqual([['päyload', 'a b', '"quoted" $HOME'], 0]);
  }],
  ['T48', 'Cancel has no effect, Abandon is -48, and the process lives', async () => {
    const process_ = await startStubborn('T48', 't48');
    expect(await cancelScript('T48')).toMatchObject({ State: running, ExitCode: 0 });
    expect(await abandonScript('T48')).toMatchObject({ State: complete, ExitCode: -48 });
    expect(isAlive(process_)).toBe(true);
  }],
  ['T49', 'Abandon without a Cancel before it is -48, and ends nothing', async () => {
    const process_ = await startStubborn('T49', 't49');
    expect(await abandonScript('T49')).toMatchObject({ State: complete, ExitCode: -48 });
    expect(isAlive(process_)).toBe(true);
  }],
  ['T50', 'Abandon releases the mutex while the process is still running', async () => {
    const process_ = await startStubborn('T50', 't50');
    await abandonScript('T50');
    await expectFree('T50-second', 't50');
    expect(isAlive(process_)).toBe(true);
  }],
  ['T51', 'a client whose Cancel stays without effect goes on to Abandon and comes to an end', async () => {
    await startStubborn('T51', 't51');
    expect(await escalate('T51')).toMatchObject({ ExitCode: -48 });
  }],
  ['T52', 'that releases the mutex', async () => {
    await startStubborn('T52', 't52');
    await escalate('T52');
    await expectFree('T52-second', 't52');
  }],
  ['T54', 'a waiter that is cancelled is -43, not -48, and its process never ran', async () => {
    await startStubborn('T54-holder', 't54');
    await startScript('T54', `touch '${file('T54.ran')}'`, holding('t54'));
    await cancelScript('T54');
    expect(await untilComplete('T54')).toMatchObject({ ExitCode: -43 });
    await abandonScript('T54-holder');
    await expectFree('T54-next', 't54');
    expect(existsSync(file('T54.ran'))).toBe(false);
  }],
  ['T55', 'a hang three shells deep: the answer to Abandon is Complete and -48, and the mutex is free', async () => {
    await startScript('T55', `bash -c "bash -c \\"touch '${file('T55.up')}'; sleep 3600\\"; true"; true`, holding('t55')); // prettier-ignore
    await untilFile(file('T55.up'));
    expect(await abandonScript('T55')).toMatchObject({ State: complete, ExitCode: -48 });
    await expectFree('T55-second', 't55');
  }],
  ['T60', 'the capabilities are these two', async () => {
    expect(await ask('GetCapabilities')).toEqual({ SupportedCapabilities: ['IScriptServiceV2', 'AbandonScript'] });
  }],
]; // prettier-ignore

test.each(rows)('%s: %s', async (_row, _promise, run) => await run());

test.runIf(isRoot)(
  'T35: CompleteScript after a normal end says so when the run directory cannot be removed',
  async () => {
    await startScript('T35', 'true');
    await untilComplete('T35');
    const held = join(runOf(world, 't35').path, 'held');
    mkdirSync(held);
    expect(spawnSync('mount', ['-t', 'tmpfs', 'none', held]).status).toBe(0); // somebody has mounted something there
    try {
      const refused = await post('CompleteScript', { Ticket: { TaskId: 'T35' } });
      expect(refused).toMatchObject({ status: 500, value: { error: { code: 'delete-failed' } } });
    } finally {
      spawnSync('umount', [held]);
    }
    expect(await completeScript('T35')).toBeNull();
  },
);

test('every row from T11 to T63 is asked here, or docs/tentacle.md says why it cannot be', () => {
  const page = readFileSync(join(root, 'docs/tentacle.md'), 'utf8');
  const table = page.slice(page.indexOf('| Rows |')).split('\n\n', 1)[0] ?? '';
  const listed = table.split('\n').flatMap((line) => (line.split('|')[1] ?? '').match(/T\d+/g) ?? []);
  const wanted = Array.from({ length: 63 - 11 + 1 }, (_, n) => `T${11 + n}`);
  expect([...rows.map(([row]) => row), 'T35', ...listed].toSorted()).toEqual(wanted.toSorted());
});

test('CompleteScript of a script that runs is refused: it would be out of sight with its mutex', async () => {
  await startScript('early', untilThere('early.go'));
  expect(await post('CompleteScript', { Ticket: { TaskId: 'early' } })).toMatchObject({ status: 409 });
  make('early.go');
  await untilComplete('early');
});

test('a client that stops at Complete has missed nothing of a log that takes several answers', async () => {
  const count = 60_000;
  await startScript('long', `${untilThere('long.go')}; seq ${count}; seq ${count} >&2`);
  await until('long', isRunning);
  make('long.go');
  let withLines = 0;
  const status = await until('long', isComplete, ({ Logs }) => (withLines += Number(Logs.length > 0)));
  const of = (source: number): string => status.Logs.filter((log) => log.Source === source).map(({ Text }) => Text).join(''); // prettier-ignore
  const all = Array.from({ length: count }, (_, n) => n + 1).join('');
  expect([of(0) === all, of(1) === all]).toEqual([true, true]);
  expect(withLines).toBeGreaterThan(1);
});

test('what is wrong is refused with the field and the next step, as by the API', async () => {
  const good = { ScriptBody: 'true', Isolation: 0, ScriptTicket: { TaskId: 'refused' } };
  for (const [wrong, field] of [
    [{ Isolation: 2 }, 'isolation'],
    [{ ScriptIsolationMutexTimeout: '5 minutes' }, 'scriptIsolationMutexTimeout'],
    [{ Files: [{ Name: '../x', Contents: '' }] }, 'files.0.name'],
    [{ Files: [{ Name: 'x', Contents: '', EncryptionPassword: 'secret' }] }, 'files.0.encryptionPassword'],
    [{ IsolationMutexName: 'a\nb' }, 'isolation.mutex'],
    [{ ScriptTicket: { TaskId: '../x' } }, 'ticket'],
  ] as const)
    expect(await post('StartScript', { ...good, ...wrong })).toMatchObject({
      status: 400,
      value: { error: { field } },
    });
  expect(await post('Nonsense', {})).toMatchObject({ status: 404, value: { error: { code: 'unknown-method' } } });
  expect(existsSync(join(world.home, 'tentacle', 'refused'))).toBe(false);
  expect(existsSync(join(world.home, 'x'))).toBe(false);
});

test('docs/examples/tentacle.mjs prints what a script file prints, exits with its code, and leaves nothing', async () => {
  writeFileSync(file('body.sh'), 'echo "$# words: $2"; echo aside >&2; exit 7\n');
  const client = join(root, 'docs/examples/tentacle.mjs');
  const env = { ...process.env, UNJAM_HOME: world.home };
  const ran = await new Promise<object>((resolve) => {
    execFile(process.execPath, [client, 'example', file('body.sh'), 'a', 'b c'], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code, stdout, stderr }),
    );
  });
  expect(ran).toEqual({ code: 7, stdout: '2 words: b c\n', stderr: 'aside\n' });
  const listed = await world.client.call('scripts.list', { all: true });
  expect(listed.filter(({ mutex }) => mutex === 'example')).toEqual([]);
});

test('the journal has its calls as it has those of the API', async () => {
  await startScript('audited', untilThere('audited.go'));
  await abandonScript('audited');
  const entries = await world.client.call('history.list', { ticket: 'audited' });
  expect(entries).toContainEqual(expect.objectContaining({ kind: 'abandoned', via: 'api' }));
});
