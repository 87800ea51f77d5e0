/** Which of the three verbs is possible now, and why not. */
import type { ConditionFacts } from '../../domain/condition-facts.ts';
import { longDuration } from '../../domain/durations.ts';
import type { ScriptRecord } from '../record.ts';

interface VerbFacts {
  readonly possible: boolean;
  readonly text: string;
}

/** `joint`: the script under the same hold that keeps the mutex held when this one's hold ends. */
export function verbs(
  record: ScriptRecord,
  f: ConditionFacts,
  joint: string | null = null,
): { cancel: VerbFacts; kill: VerbFacts; abandon: VerbFacts } {
  const no = (text: string): VerbFacts => ({ possible: false, text });
  const yes = (text: string): VerbFacts => ({ possible: true, text });
  const held = f.mutex !== null && f.holdsMutex ? ` "${f.mutex}" stays held until every process has gone.` : '';
  if (f.orphan)
    return {
      cancel: no('The script was abandoned. Only Force Kill is left for its process.'),
      kill: yes('Ends what is left of the abandoned script, and checks that it is gone.'),
      abandon: no('The script was abandoned already.'),
    };
  if (record.isFinal) {
    const over = no('The script has ended. There is nothing to end.');
    return { cancel: over, kill: over, abandon: over };
  }
  if (record.state === 'queued')
    return {
      cancel: yes('Takes it out of the queue. It has not started; nothing needs to be ended.'),
      kill: no('It has not started. Cancel takes it out of the queue.'),
      abandon: no('It has not started and holds no mutex. Cancel takes it out of the queue.'),
    };
  const killing = f.stage.kind === 'killing' || f.stage.kind === 'unkillable';
  return {
    cancel: killing
      ? no('Force Kill was sent already.')
      : f.stage.kind === 'cancelling' || f.stage.kind === 'signalling'
        ? yes(
            `Cancel was sent; ${longDuration(f.stage.until - f.now)} left. Repeating it sends the signal again.${held}`,
          )
        : yes(`Asks it to stop.${held}`),
    kill: yes(`Ends the whole tree at once, and checks that it is gone. No clean-up runs.${held}`),
    abandon:
      f.mutex !== null && f.holdsMutex
        ? joint === null
          ? yes(`Releases "${f.mutex}" at once and ends nothing: its processes may keep changing things.`)
          : yes(
              `Gives up its hold and ends nothing. "${f.mutex}" stays held by "${joint}", which runs under the same hold.`,
            )
        : yes('Gives up waiting for it and ends nothing. It holds no mutex.'),
  };
}
