/** The part of the engine's schema by which persons see the living scripts of all hosts: schema version 5. */

/** A longer snapshot is refused, bytes. */
export const snapshotBytes = 262_144;

/** No host reads another's, nor its own: only the function writes, and only the row of who calls it. */
export const snapshotSchema = `
create table unjam.snapshot (
  host text primary key references unjam.host (id) on delete cascade,
  at timestamptz not null default clock_timestamp(),
  scripts text not null check (octet_length(scripts) <= ${snapshotBytes})
);
grant select on unjam.snapshot to unjam_operator, unjam_viewer;

-- Whether it was taken: not from a copy of the state directory, nor from a retired host.
create function unjam.show_scripts(installation text, scripts text) returns boolean
language sql security definer set search_path = unjam, pg_catalog as $$
  with shown as (
    insert into snapshot (host, scripts)
      select h.id, $2 from host h where h.id = session_user and h.installation = $1 and h.retired_at is null
      on conflict (host) do update set scripts = excluded.scripts, at = clock_timestamp()
      returning 1
  )
  select exists (select from shown)
$$;

revoke all on function unjam.show_scripts from public;
grant execute on function unjam.show_scripts to unjam_host;
`;
