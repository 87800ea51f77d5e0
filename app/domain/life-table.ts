/**
 * The lifecycle of a script as one table: stages × events, every cell written or refused. Pure: a cell answers with
 * effects, `app/ladder/driver.ts` carries them out, and only recorded facts change the stage (`life.ts`).
 * The model is the state table of s6-supervise. `npm run lifecycle` prints this table into docs/lifecycle.md.
 */
import type { EventBody, RunnerRequest } from './events.ts';
import type { How, Life, StageKind } from './life.ts';
import * as lines from './lines.ts';
import type { About, CancelRequest, Effect, KillRequest, LifeEvent, LifeEventType, Seen } from './life-events.ts';
import { type Actor, unjam } from './script.ts';

interface Cell<E> {
  /** Stages that may follow; the same one is not named. */
  readonly to: readonly StageKind[];
  readonly says: string;
  readonly act: (life: Life, e: E, at: number) => readonly Effect[];
}
type Row<T extends LifeEventType> = { readonly [S in ProcessStage]: Cell<Extract<LifeEvent, { type: T }>> };
/** Before `running` there is no process: the queue and the launch are straight lines in `session.ts`. */
export type ProcessStage = Exclude<StageKind, 'queued' | 'starting'>;
type Table = { readonly [T in LifeEventType]: Row<T> };

const killAgainNoteMs = 2_000;

// --- kinds of cells

const goes = <E>(to: readonly StageKind[], says: string, act: Cell<E>['act']): Cell<E> => ({ to, says, act });
const stays = <E>(says: string, act: Cell<E>['act']): Cell<E> => ({ to: [], says, act });
/** Nothing to do, and why that is right. */
const ignored = (says: string): Cell<unknown> => ({ to: [], says: `Ignored: ${says}`, act: () => [] });
/** Answered with a refusal that the caller and the journal see. */
const refused = (says: string): Cell<{ readonly request: RunnerRequest }> => ({
  to: [],
  says: `Refused: ${says}`,
  act: (_life, { request }) => [{ do: 'record', fact: { type: 'refused', requestId: request.id, reason: says } }],
});
const tooLate: Cell<{ readonly request: RunnerRequest }> = {
  to: [],
  says: 'Refused: it has already exited (W206)',
  act: (life, { request }, at) => [
    {
      do: 'record',
      fact: { type: 'refused', requestId: request.id, reason: 'the script had already exited' },
      line: ({ root }) =>
        lines.cancelTooLate(
          request.verb === 'cancel' ? 'Cancel' : 'Force Kill',
          root,
          life.root?.at ?? at,
          lines.exitText(life.root),
        ),
    },
  ],
};

// --- acts that several cells share

/** The script is gone when the system says that nobody is left and, where it can be had, the exit status is there. */
const isGone = (life: Life, left: Seen): boolean => left.proven && left.members.length === 0 && life.root !== null;

const gone = (life: Life, how: How, total: number, afterMs: number): readonly Effect[] => [
  { do: how === 'self' ? 'recall' : 'record', fact: { type: 'note', gone: { how, total, afterMs } } },
  life.cleaned ? { do: 'conclude', how } : { do: 'clean-up', how },
];

function kill(
  request: KillRequest | CancelRequest | null,
  actor: Actor,
  why: string | null,
  left: Seen,
): readonly Effect[] {
  const reason = request?.reason ?? null;
  return [
    { do: 'record', fact: { type: 'intent', verb: 'kill', actor } },
    {
      do: 'record',
      fact: {
        type: 'kill',
        requestId: request?.id ?? null,
        actor,
        count: left.members.length,
        evidence: request?.evidence ?? [],
      },
      line: ({ at, root, mutex }) =>
        lines.killRequested({ actor, why, at, reason, root, targets: left.members, mutex }),
    },
    { do: 'end' },
  ];
}

const killAsked: Cell<Extract<LifeEvent, { type: 'kill' }>>['act'] = (life, e, at) =>
  isGone(life, e.left) ? tooLate.act(life, e, at) : kill(e.request, e.request.actor, null, e.left);

/** Begins an end with a signal; SIGKILL as the signal is a kill under the name of the Cancel. */
const cancelAsked: Cell<Extract<LifeEvent, { type: 'cancel' }>>['act'] = (life, e, at) => {
  const { request, signal, graceMs } = e;
  if (isGone(life, e.left)) return tooLate.act(life, e, at);
  const intent: Effect = {
    do: 'record',
    fact: {
      type: 'intent',
      verb: 'cancel',
      actor: request.actor,
      ...(signal === 'SIGKILL' ? {} : { until: at + graceMs, escalate: request.escalate }),
    },
  };
  if (signal === 'SIGKILL') return [intent, ...killAsCancel(request, request.actor, 'as the cancel signal', e.left)];
  return [intent, { do: 'interrupt', of: { why: 'cancel', request, signal, graceMs, total: e.left.members.length } }];
};

/** The cause stays what it was: nobody asked for a Force Kill by name. */
const killAsCancel: typeof kill = (...args) =>
  kill(...args).filter((e) => e.do !== 'record' || e.fact.type !== 'intent');

const signalAgain: Cell<Extract<LifeEvent, { type: 'cancel' }>>['act'] = (life, e, at) => {
  const { request, signal, graceMs } = e;
  if (isGone(life, e.left)) return tooLate.act(life, e, at);
  return signal === 'SIGKILL'
    ? cancelAsked(life, e, at)
    : [{ do: 'interrupt', of: { why: 'cancel', request, signal, graceMs, total: e.left.members.length } }];
};

const limitReached: Cell<Extract<LifeEvent, { type: 'limit' }>>['act'] = (life, e, at) => {
  const { limit, signal, graceMs } = e;
  if (life.abandoned || isGone(life, e.left)) return [];
  const { timeout } = limit;
  const intent: EventBody = { type: 'intent', verb: 'timeout', actor: unjam, timeout };
  return signal === 'SIGKILL'
    ? [{ do: 'record', fact: intent }, ...killAsCancel(null, unjam, 'because a time limit was reached', e.left)]
    : [
        { do: 'record', fact: { ...intent, until: at + graceMs, escalate: true } },
        { do: 'interrupt', of: { why: 'limit', limit, signal, graceMs, total: e.left.members.length } },
      ];
};

/** The fact and line of a signal that was sent. */
function sent(life: Life, e: Extract<LifeEvent, { type: 'delivered' }>, at: number): Effect {
  const { of, delivery } = e;
  const what = delivery.kind === 'gone' ? of.signal : delivery.what;
  const { total } = of;
  const until = life.stage.kind === 'cancelling' ? life.stage.until : at + of.graceMs;
  if (of.why === 'limit') {
    const { timeout, limitMs } = of.limit;
    return {
      do: 'record',
      fact: { type: 'timeout', timeout, until },
      line: ({ root, mutex }) => lines.timedOut({ timeout, limitMs, at, sent: what, root, graceMs: of.graceMs, total, mutex }), // prettier-ignore
    };
  }
  const { actor, reason, escalate, evidence, id } = of.request;
  const fact: EventBody = { type: 'cancel', requestId: id, actor, signal: of.signal, until, escalate, evidence };
  if (delivery.kind === 'undeliverable')
    return {
      do: 'record',
      fact,
      line: ({ root, mutex }) => lines.cancelUndeliverable(actor, at, root, delivery.what, delivery.message, mutex),
    };
  const graceMs = life.stage.kind === 'ignored' ? 0 : Math.max(0, until - at);
  return {
    do: 'record',
    fact,
    line: ({ root, mutex }) => lines.cancelRequested({ actor, at, reason, sent: what, root, graceMs, escalate: escalate || life.escalate, total, mutex }), // prettier-ignore
  };
}

const firstDelivered: Cell<Extract<LifeEvent, { type: 'delivered' }>>['act'] = (life, e, at) => {
  const nothingTried = !life.attempts.some((a) => a.what !== 'abandon');
  if (e.delivery.kind === 'gone' && nothingTried) {
    const requestId = e.of.why === 'cancel' ? e.of.request.id : '';
    const effects: Effect[] = [
      {
        do: 'record',
        fact: { type: 'refused', requestId, reason: 'the script had already exited by itself', withdrawn: true },
        ...(e.of.why === 'cancel'
          ? { line: ({ root }: About) => lines.cancelTooLate('Cancel', root, life.root?.at ?? at, lines.exitText(life.root)) } // prettier-ignore
          : {}),
      },
    ];
    return life.root?.known && !life.abandoned ? [...effects, ...gone(life, 'self', e.left.of, 0)] : effects;
  }
  const record = sent(life, e, at);
  if (e.delivery.kind !== 'undeliverable') return [record];
  const escalates = e.of.why === 'limit' || e.of.request.escalate || life.escalate;
  return [record, ...(escalates ? escalated(life, e.left) : wasIgnored(life, e.left, 0))];
};

const deliveredAgain: Cell<Extract<LifeEvent, { type: 'delivered' }>>['act'] = (life, e, at) => [sent(life, e, at)];

/** The kill came while the signal was on its way: said once, so that the log shows the order in which things were. */
const overtaken: Cell<Extract<LifeEvent, { type: 'delivered' }>> = stays(
  'Says that Force Kill overtook the Cancel (W208)',
  (_life, { of }) =>
    of.why === 'limit'
      ? []
      : [
          {
            do: 'record',
            fact: {
              type: 'refused',
              requestId: of.request.id,
              reason: 'Force Kill began while its signal was being sent',
            },
            line: () => lines.cancelOvertaken(of.request.actor),
          },
        ],
);

function wasIgnored(life: Life, left: Seen, graceMs: number): readonly Effect[] {
  return [
    {
      do: 'record',
      fact: { type: 'cancel-ignored', left: left.members, of: left.of },
      line: ({ root, mutex }) =>
        life.root === null
          ? lines.cancelIgnored({ afterMs: graceMs, root, left: left.members, of: left.of, mutex })
          : lines.childrenLeft(root, left.members, mutex),
    },
  ];
}

/** Force Kill by Unjam because a Cancel or a limit was ignored: the cause stays. */
const escalated = (life: Life, left: Seen): readonly Effect[] =>
  kill(null, unjam, `because ${life.cause?.kind === 'timed-out' ? 'the time limit' : 'Cancel'} was ignored`, left);

const cleanedNow: Effect = { do: 'record', fact: { type: 'note', cleaned: true } };

const emptyAfter = (how: How) => (life: Life, e: Extract<LifeEvent, { type: 'tree' }>) =>
  isGone(life, e.left) ? gone(life, how, e.left.of, e.afterMs) : [];

const noteRoot = (_life: Life, e: Extract<LifeEvent, { type: 'root-exited' }>): readonly Effect[] => {
  const fact: EventBody = { type: 'exited', exit: { code: e.code, signal: e.signal, endedAt: e.endedAt } };
  return e.known ? [{ do: 'record', fact }] : [{ do: 'recall', fact }];
};

const noteAbandon: Cell<unknown> = stays('Remembers it: no clock ends the script any more', () => [
  { do: 'recall', fact: { type: 'abandoned', actor: unjam, reason: null, evidence: [] } },
]);

const rootRow = {
  running: goes<Extract<LifeEvent, { type: 'root-exited' }>>(
    ['gone'],
    'Records the exit status. A script that nobody ends is over now; what it left running does not keep its mutex',
    (life, e) => [
      ...noteRoot(life, e),
      ...(e.known && !life.abandoned && life.cause === null && !life.runnerDied ? gone(life, 'self', 0, 0) : []),
    ],
  ),
  other: stays<Extract<LifeEvent, { type: 'root-exited' }>>('Records the exit status; the tree decides', noteRoot),
};

const never = ignored('cannot happen in this stage');

/** Rows are events, columns are stages. */
export const lifeTable: Table = {
  cancel: {
    running: goes(['signalling', 'killing'], 'Records the intent and sends the cancel signal', cancelAsked),
    signalling: refused('a Cancel is being sent already'),
    cancelling: goes(['killing'], 'Sends the signal again; the first deadline stays', signalAgain),
    ignored: goes(
      ['signalling', 'killing'],
      'Sends the signal again; a Cancel that escalates gets one more grace period',
      (life, e, at) => (e.request.escalate ? cancelAsked(life, e, at) : signalAgain(life, e, at)),
    ),
    killing: refused('a Force Kill is under way already'),
    unkillable: refused('a Force Kill was sent already'),
    gone: tooLate,
    final: tooLate,
  },
  kill: {
    running: goes(['killing'], 'Records the intent and ends the whole tree', killAsked),
    signalling: goes(['killing'], 'Records the intent and ends the whole tree', killAsked),
    cancelling: goes(['killing'], 'Records the intent and ends the whole tree', killAsked),
    ignored: goes(['killing'], 'Records the intent and ends the whole tree', killAsked),
    killing: stays('Ends the tree again; the settle time is not extended', killAsked),
    unkillable: goes(['killing'], 'Tries once more', killAsked),
    gone: goes(['killing'], 'Ends the clean-up command that runs. Without one: refused (W206)', (life, e, at) =>
      life.cleanup === null || life.cleaned || e.left.members.length === 0
        ? tooLate.act(life, e, at)
        : [cleanedNow, ...killAsCancel(e.request, e.request.actor, 'while the clean-up command ran', e.left)],
    ),
    final: goes(['killing'], 'Ends what the script left running; the verdict stays', killAsked),
  },
  limit: {
    running: goes(
      ['signalling', 'killing'],
      'Records the intent and sends the cancel signal; it escalates',
      limitReached,
    ),
    signalling: ignored('an end is under way'),
    cancelling: ignored('an end is under way'),
    ignored: goes(['signalling', 'killing'], 'Ends the script: the limit escalates', limitReached),
    killing: ignored('an end is under way'),
    unkillable: ignored('an end is under way'),
    gone: ignored('the script is gone'),
    final: ignored('the script is over'),
  },
  delivered: {
    running: never,
    signalling: goes(
      ['cancelling', 'killing', 'ignored', 'running', 'gone'],
      'Starts the grace period. Undeliverable: escalates, or counts as ignored. Nobody left: not needed (W206)',
      firstDelivered,
    ),
    cancelling: stays('Records that it was sent again', deliveredAgain),
    ignored: stays('Records that it was sent again', deliveredAgain),
    killing: overtaken,
    unkillable: overtaken,
    gone: overtaken,
    final: overtaken,
  },
  'grace-over': {
    running: never,
    signalling: never,
    cancelling: goes(
      ['killing', 'ignored', 'gone'],
      'Escalates to Force Kill, or says that Cancel was ignored (W205, W204)',
      (life, e) => {
        if (isGone(life, e.left)) return gone(life, 'cancel', e.left.of, e.graceMs);
        if (e.left.proven && e.left.members.length === 0) return []; // its exit status is on the way
        return life.escalate ? escalated(life, e.left) : wasIgnored(life, e.left, e.graceMs);
      },
    ),
    ignored: never,
    killing: never,
    unkillable: never,
    gone: never,
    final: never,
  },
  'settle-over': {
    running: never,
    signalling: never,
    cancelling: never,
    ignored: never,
    killing: goes(['unkillable'], 'Names each survivor with the reason (W214, W215)', (_life, e) => [
      {
        do: 'record',
        fact: { type: 'unkillable', survivors: e.survivors, ended: e.of - e.survivors.length, of: e.of },
        line: ({ elevated, mutex }) => lines.unkillable(e.survivors, e.of, e.afterMs, elevated, mutex),
      },
    ]),
    unkillable: never,
    gone: never,
    final: never,
  },
  'root-exited': {
    running: rootRow.running,
    signalling: rootRow.other,
    cancelling: rootRow.other,
    ignored: rootRow.other,
    killing: rootRow.other,
    unkillable: rootRow.other,
    gone: never,
    final: ignored('its exit status is known'),
  },
  tree: {
    running: goes(['gone'], 'An orphan or an adopted script: over when nobody is left', emptyAfter('self')),
    signalling: ignored('the delivery decides'),
    cancelling: goes(['gone'], 'Over when nobody is left', emptyAfter('cancel')),
    ignored: goes(['gone'], 'Over when nobody is left', emptyAfter('cancel')),
    killing: goes(
      ['gone'],
      'Over when nobody is left; else ends the rest again, and says once that it takes long (W213)',
      (life, e) => {
        if (isGone(life, e.left)) return gone(life, 'kill', e.left.of, e.afterMs);
        const tellNow = life.stage.kind === 'killing' && !life.stage.told && e.left.members.length > 0 && e.afterMs >= killAgainNoteMs; // prettier-ignore
        const { members, of } = e.left;
        return [
          { do: 'end' },
          ...(tellNow
            ? [
                {
                  do: 'record',
                  fact: { type: 'kill-progress', ended: of - members.length, of },
                  line: ({ mutex }: About) => lines.killIncomplete(members, of, e.afterMs, mutex),
                } as const,
              ]
            : []),
        ];
      },
    ),
    unkillable: goes(['gone'], 'Over when nobody is left', emptyAfter('kill')),
    gone: never,
    final: ignored('nobody watches it any more'),
  },
  abandoned: {
    running: noteAbandon,
    signalling: noteAbandon,
    cancelling: noteAbandon,
    ignored: noteAbandon,
    killing: noteAbandon,
    unkillable: noteAbandon,
    gone: noteAbandon,
    final: noteAbandon,
  },
  cleaned: {
    running: never,
    signalling: never,
    cancelling: never,
    ignored: never,
    killing: ignored('a Force Kill ended the clean-up command'),
    unkillable: ignored('a Force Kill was sent to the clean-up command'),
    gone: goes(['killing'], 'Concludes; ends what the clean-up command left first', (life, e) => {
      if (life.cleaned) return []; // a Force Kill ended it
      const how = life.stage.kind === 'gone' ? life.stage.how : 'self';
      return life.cleanup === null || e.left.proven
        ? [cleanedNow, { do: 'conclude', how }]
        : [cleanedNow, ...killAsCancel(null, unjam, 'because the clean-up command left processes', e.left)];
    }),
    final: ignored('a Force Kill ended the clean-up command'),
  },
  concluded: {
    running: never,
    signalling: never,
    cancelling: never,
    ignored: never,
    killing: never,
    unkillable: never,
    gone: goes(['final'], 'The verdict stands', () => [{ do: 'recall', fact: { type: 'note', over: true } }]),
    final: never,
  },
};

/** What follows from an event; nothing before the script has a process. */
export function decide(life: Life, e: LifeEvent, at: number): readonly Effect[] {
  const { kind } = life.stage;
  if (kind === 'queued' || kind === 'starting') return [];
  const cell = lifeTable[e.type][kind] as Cell<LifeEvent>;
  return cell.act(life, e, at);
}
