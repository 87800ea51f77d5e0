/** The hosts of a fleet, as its engine knows them. */
import type { FleetView } from '../contract/methods.ts';
import type { Engine } from './postgres.ts';

/** A host whose sign of life is older counts as unreachable; it gives one every 5 s. */
const unreachableAfterS = 20;

export type FleetHost = FleetView['hosts'][number];

/** @throws Error as `Engine.query` */
export async function hostsOf(engine: Engine): Promise<FleetHost[]> {
  const rows = await engine.query<Omit<FleetHost, 'since'> & { since: Date }>(
    `select h.id, h.version, coalesce(h.retired_at, h.seen_at) as since,
       case when h.retired_at is not null then 'retired'
         when h.seen_at < clock_timestamp() - make_interval(secs => $1)
           and pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => $1) then 'unreachable'
         else 'reachable' end as state,
       h.retired_why as why, coalesce(held.holds, '[]') as holds, coalesce(waiting.n, 0) as waits
     from unjam.host h
     left join (select host, jsonb_agg(jsonb_build_object('mutex', mutex, 'scripts', n, 'waiters', waiters) order by mutex) as holds
       from (select e->>'host' as host, m.state->>'name' as mutex, count(*) as n, jsonb_array_length(m.state->'queue') as waiters
         from unjam.mutex m, jsonb_array_elements(m.state->'holders') e group by 1, m.key) by_mutex
       group by host) held on held.host = h.id
     left join (select e->>'host' as host, count(*)::int as n
       from unjam.mutex m, jsonb_array_elements(m.state->'queue') e group by 1) waiting on waiting.host = h.id
     order by h.id`,
    [unreachableAfterS],
  );
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}

/** How many signs of life the engine knows of the host that asks. @throws as `Engine.query` */
export async function beatOf(engine: Engine): Promise<number> {
  const [row] = await engine.query<{ beat: string }>('select beat from unjam.host where id = session_user');
  return Number(row?.beat ?? 0);
}
