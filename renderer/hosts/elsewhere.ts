/** The scripts of other hosts of the fleet, asked for again and again while the list is on screen. */
import type { ConsoleClient, FleetScripts, ScriptView } from '../contract.ts';
import { listed } from '../scripts/listed.ts';
import { poll } from '../state/poll.ts';
import type { ScriptList } from '../state/script-list.svelte.ts';
import { toCallError } from '../transport/call-error.ts';
import { fleetNotes } from '../words/elsewhere.ts';

/** `here` is the name of this host in the fleet. Returns what ends it. */
export function followOthers(client: ConsoleClient, list: ScriptList, here: string | undefined): () => void {
  const end = poll(async (signal) => {
    try {
      const told = await client.call('fleet.scripts', {}, signal);
      if (!signal.aborted) list.acceptOthers(othersOf(told, here), fleetNotes(told));
    } catch (error) {
      const { code, message, next } = toCallError(error);
      // Of a host that does not answer the whole window speaks.
      if (!signal.aborted && code !== 'host-unreachable') list.acceptOthers([], [`${message} ${next}`]);
    }
  });
  return () => {
    end();
    list.acceptOthers([], []);
  };
}

export function othersOf({ hosts, problem }: FleetScripts, here: string | undefined): readonly ScriptView[] {
  return hosts.flatMap(({ host, at, state, ...shown }) => {
    const asAt = at === null || (state === 'reachable' && problem === null) ? null : Date.parse(at);
    /** Of a mutex of the fleet the host stands behind the ticket already. */
    const across = (ticket: string): string =>
      !ticket.includes('@')
        ? `${ticket}@${host}`
        : ticket.endsWith(`@${here}`)
          ? ticket.slice(0, -`@${here}`.length)
          : ticket;
    return listed(shown).map((view): ScriptView => ({
      ...view,
      ticket: `${view.ticket}@${host}`,
      waitingFor: view.waitingFor && across(view.waitingFor),
      holder: view.holder && { ...view.holder, ticket: across(view.holder.ticket) },
      elsewhere: { host, asAt },
    }));
  });
}
