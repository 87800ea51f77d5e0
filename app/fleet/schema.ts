/**
 * The schema of a fleet's engine, PostgreSQL 13 or newer. The guard refuses every change of a mutex that the rules of
 * `domain/mutex.ts` could not have made: a fault of one client cannot make two holders, and no host can release,
 * abandon or overtake another's script. Times come from clients and are for people; nothing here is decided by them.
 */
import { callSchema, withdrawalSchema } from './call-schema.ts';
import { seenSchema } from './seen-schema.ts';
import { snapshotSchema } from './snapshot-schema.ts';

/** Raised with each change below; a client that knows less reads and does not write. */
export const schemaVersion = 7;

/** A host sees which others there are, and not their installations: by these the engine knows a host from its copy. */
const sight = `
grant select (id, version, seen_at, retired_at, retired_why) on unjam.host to unjam_host;
`;

/** Group roles of the cluster; a host or a person has a login role that is a member of one. */
const roles = `
do $$
declare r text;
begin
  foreach r in array array['unjam_host', 'unjam_operator', 'unjam_viewer'] loop
    if not exists (select from pg_roles where rolname = r) then
      execute format('create role %I nologin', r);
    end if;
  end loop;
end $$;`;

const tables = `
create schema unjam;
grant usage on schema unjam to unjam_host, unjam_operator, unjam_viewer;

create table unjam.meta (
  one boolean primary key default true check (one),
  fleet uuid not null default gen_random_uuid(),
  schema_version int not null,
  created_at timestamptz not null default now()
);
insert into unjam.meta (schema_version) values (${schemaVersion});

create table unjam.host (
  id text primary key default session_user check (id <> '' and length(id) <= 63),
  installation text not null,
  version text not null,
  beat bigint not null default 0,
  seen_at timestamptz not null default clock_timestamp(),
  joined_at timestamptz not null default clock_timestamp(),
  retired_at timestamptz,
  retired_by text,
  retired_why text
);

create table unjam.mutex (
  key text primary key,
  version bigint not null,
  state jsonb not null check (pg_column_size(state) <= 1048576),
  changed_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

create table unjam.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  who text not null default session_user,
  mutex text,
  host text,
  ticket text,
  what text not null,
  reason text
);
create function unjam.no_change() returns trigger language plpgsql as $$
begin
  raise exception 'The audit of a fleet is not changed.' using errcode = 'UJ000';
end $$;
create trigger no_change before update or delete or truncate on unjam.audit
  for each statement execute function unjam.no_change();

grant select on unjam.meta, unjam.mutex to unjam_host, unjam_operator, unjam_viewer;
grant select on unjam.host, unjam.audit to unjam_operator, unjam_viewer;
grant insert (key, version, state), update (version, state, changed_at) on unjam.mutex to unjam_host, unjam_operator;
`;

/** The rules themselves, in a migration too. */
const guardFunction = `
create or replace function unjam.guard() returns trigger
language plpgsql security definer set search_path = unjam, pg_catalog as $$
declare
  me text := session_user;
  operator boolean := pg_has_role(session_user, 'unjam_operator', 'member')
    and not exists (select from host where id = session_user);
  was jsonb; is_ jsonb := new.state;
  e jsonb; o jsonb; n jsonb;
  waiting text[] := '{}'; left_ text[] := '{}'; granted text[] := '{}'; order_ text[] := '{}';
  fence bigint; i int;
begin
  if not operator and not exists (select from host where id = me and retired_at is null) then
    raise exception 'refused: "%" is no host of this fleet, or it is retired', me using errcode = 'UJ001';
  end if;

  if tg_op = 'INSERT' then
    if operator then perform refuse('an operator makes no mutex'); end if;
    was := jsonb_build_object('epoch', is_->'epoch', 'fence', 0, 'paused', null,
      'holders', '[]'::jsonb, 'queue', '[]'::jsonb, 'abandoned', '[]'::jsonb);
    if new.version <> 1 then perform refuse('a first version that is not 1'); end if;
    fence := 0;
  else
    was := old.state;
    if new.key <> old.key then perform refuse('another key'); end if;
    if new.version <> old.version + 1 then perform refuse('a version that is not the next'); end if;
    fence := (was->>'fence')::bigint;
  end if;
  if jsonb_typeof(is_->'holders') is distinct from 'array' or jsonb_typeof(is_->'queue') is distinct from 'array'
    or jsonb_typeof(is_->'abandoned') is distinct from 'array' or jsonb_typeof(is_->'name') is distinct from 'string'
    or jsonb_typeof(is_->'fence') is distinct from 'number'
    or coalesce(jsonb_typeof(is_->'paused'), '') not in ('null', 'object')
    or exists (select from all_of(is_) a where jsonb_typeof(a.entry->'id') is distinct from 'string'
      or jsonb_typeof(a.entry->'host') is distinct from 'string' or coalesce(a.entry->>'level', '') not in ('full', 'none')
      or (a.list <> 'queue' and (jsonb_typeof(a.entry->'fence') is distinct from 'number' or not a.entry ? 'scope'))) then
    perform refuse('a state that is none');
  end if;
  if (is_->>'version')::bigint is distinct from new.version then perform refuse('a state of another version'); end if;
  if is_->'epoch' is distinct from was->'epoch' then perform refuse('a changed epoch'); end if;
  if (was ? 'name') and is_->'name' is distinct from was->'name' then perform refuse('a changed name'); end if;
  if not operator and is_->'paused' is distinct from was->'paused' then
    perform refuse('a host neither pauses nor resumes');
  end if;

  -- No id twice, in one list or in two.
  if (select count(*) <> count(distinct id) from all_of(is_)) then perform refuse('an entry that is there twice'); end if;

  -- What was there: of another host untouched to the last byte, but for a grant.
  for o, n in select w.entry, i.entry from all_of(was) w left join all_of(is_) i using (id)
    where i.entry is distinct from w.entry loop
    if operator then
      continue when n is null and o->>'list' in ('queue', 'abandoned');
      continue when n is not null and o->>'list' = 'holders' and n->>'list' = 'abandoned'
        and n @> (o - 'list' - 'scope') and n->'by' is not null;
      continue when granted_as(o, n);
      perform refuse(format('an operator may abandon and take out, not this change of "%s"', o->>'id'));
    elsif o->>'host' is distinct from me then
      continue when granted_as(o, n);
      perform refuse(format('a change of "%s", an entry of "%s"', o->>'id', o->>'host'));
    elsif n is not null then
      if n->'fence' is distinct from o->'fence' and not granted_as(o, n) then
        perform refuse(format('another fence of "%s"', o->>'id'));
      end if;
      if (n - 'list' - 'scope' - 'fence' - 'grantedAt' - 'abandonedAt' - 'by' - 'reason')
        is distinct from (o - 'list' - 'scope' - 'fence' - 'grantedAt' - 'abandonedAt' - 'by' - 'reason') then
        perform refuse(format('another request under the id "%s"', o->>'id'));
      end if;
      if (o->>'list', n->>'list') not in (('queue', 'queue'), ('queue', 'holders'), ('holders', 'holders'),
        ('holders', 'abandoned'), ('abandoned', 'abandoned')) then
        perform refuse(format('"%s" moved from %s to %s', o->>'id', o->>'list', n->>'list'));
      end if;
    end if;
  end loop;

  -- What is new: in one's own name, as a waiter, granted at once, or under a hold that is there.
  for n in select entry from all_of(is_) where id not in (select id from all_of(was)) loop
    if operator then perform refuse('an entry in an operator''s name'); end if;
    if n->>'host' is distinct from me then perform refuse(format('an entry in the name of "%s"', n->>'host')); end if;
    if n->>'list' = 'abandoned' then perform refuse('an orphan that never held'); end if;
    if n->>'list' = 'holders' and n ? 'under' then
      if not exists (select from jsonb_array_elements(is_->'holders') h
        where h->>'id' = n->>'under' and h->'fence' = n->'fence' and h->>'host' = me) then
        perform refuse('a hold under one that is not there');
      end if;
    end if;
  end loop;

  -- The order of the queue, and who was granted: the first ones of it, each with the next fence.
  select array_agg(id order by at) into waiting from all_of(was) where list = 'queue';
  waiting := coalesce(waiting, '{}');
  select coalesce(array_agg(id order by at), '{}') into left_ from all_of(is_) where list = 'queue';
  select coalesce(array_agg(x.id order by (x.entry->>'fence')::bigint, x.at), '{}') into granted from all_of(is_) x
    where x.list = 'holders' and not (x.entry ? 'under')
      and x.id not in (select id from all_of(was) where list = 'holders');
  -- As it was, without those who left it; who is new stands behind.
  select coalesce(array_agg(w), '{}') into order_ from unnest(waiting) w where w = any(granted || left_);
  order_ := order_ || array(select x from unnest(granted || left_) x where x <> all(waiting));
  if order_ <> granted || left_ then perform refuse('a place before another''s'); end if;
  for i in 1 .. coalesce(array_length(granted, 1), 0) loop
    select entry into e from all_of(is_) where id = granted[i];
    if (e->>'fence')::bigint <> fence + i then perform refuse('a fence that is not the next'); end if;
    if e->'scope' <> 'null'::jsonb then perform refuse('a grant that was confirmed before it was given'); end if;
  end loop;
  if (is_->>'fence')::bigint <> fence + coalesce(array_length(granted, 1), 0) then
    perform refuse('a fence that does not count the grants');
  end if;
  if is_->'paused' <> 'null'::jsonb and array_length(granted, 1) > 0 then
    perform refuse('a grant while the mutex is paused');
  end if;

  -- Exclusive is alone, but for what runs under it; nobody who could run is left waiting.
  if exists (select from jsonb_array_elements(is_->'holders') h where h->>'level' = 'full')
    and (select count(distinct h->>'fence') > 1 from jsonb_array_elements(is_->'holders') h) then
    perform refuse('two holders, one of them exclusive');
  end if;
  e := is_->'queue'->0;
  if e is not null and is_->'paused' = 'null'::jsonb
    and (jsonb_array_length(is_->'holders') = 0 or (e->>'level' = 'none' and not exists
      (select from jsonb_array_elements(is_->'holders') h where h->>'level' = 'full'))) then
    perform refuse('a first in line that could run and was left waiting');
  end if;

  insert into audit (who, mutex, host, ticket, what, reason)
    select me, is_->>'name', a.entry->>'host', a.entry->>'ticket', 'abandoned', a.entry->>'reason'
    from all_of(is_) a where a.list = 'abandoned' and a.id not in (select id from all_of(was) where list = 'abandoned');
  if is_->'paused' is distinct from was->'paused' then
    insert into audit (who, mutex, what) values (me, is_->>'name',
      case when is_->'paused' = 'null'::jsonb then 'resumed' else 'paused' end);
  end if;
  new.changed_at := clock_timestamp();
  new.changed_in := pg_current_xact_id();
  perform pg_notify('unjam_' || md5(new.key), left(jsonb_build_object('v', new.version, 'h',
    coalesce((select jsonb_agg(x) from unnest(granted) x), '[]'::jsonb))::text, 7900));
  return new;
end $$;
`;

/**
 * UJ001: the host is retired or not one of the fleet. UJ002: what no client may do. The first words say which rule.
 * \`security definer\`: it reads tables that the caller may not; who calls stays \`session_user\`.
 */
const guard = `
create function unjam.refuse(why text) returns void language plpgsql as $$
begin
  raise exception 'refused: %', why using errcode = 'UJ002';
end $$;

${guardFunction}
-- Every entry with the list that it stands in; \`at\` is its place there.
create function unjam.all_of(state jsonb)
returns table (id text, list text, at bigint, entry jsonb) language sql immutable set search_path = pg_catalog as $$
  select x.e->>'id', l.list, x.at, x.e || jsonb_build_object('list', l.list)
  from (values ('holders'), ('queue'), ('abandoned')) l(list),
    lateral jsonb_array_elements(state->l.list) with ordinality x(e, at)
$$;

-- Whether \`n\` is what a grant makes of the waiter \`o\`, and nothing else.
create function unjam.granted_as(o jsonb, n jsonb) returns boolean language sql immutable set search_path = pg_catalog as $$
  select coalesce(o->>'list' = 'queue' and n->>'list' = 'holders'
    and (n - 'list' - 'fence' - 'grantedAt' - 'scope') = (o - 'list') and n->'scope' = 'null'::jsonb
    and jsonb_typeof(n->'fence') = 'number' and jsonb_typeof(n->'grantedAt') = 'number', false)
$$;

create trigger guard before insert or update on unjam.mutex for each row execute function unjam.guard();
create function unjam.no_removal() returns trigger language plpgsql as $$
begin
  raise exception 'refused: a mutex of a fleet is not removed' using errcode = 'UJ002';
end $$;
create trigger no_removal before delete or truncate on unjam.mutex for each statement execute function unjam.no_removal();
`;

/** Hosts speak for themselves alone: each function acts on the row of \`session_user\`. */
const functions = `
create function unjam.join_fleet(installation text, version text) returns uuid
language plpgsql security definer set search_path = unjam, pg_catalog as $$
declare known host;
begin
  select * into known from host where id = session_user;
  if known.id is not null and known.installation <> join_fleet.installation then
    raise exception 'refused: "%" is the name of another installation (%), which was last seen at %', session_user,
      known.installation, known.seen_at using errcode = 'UJ003';
  end if;
  insert into host (id, installation, version) values (session_user, join_fleet.installation, join_fleet.version)
    on conflict (id) do update set version = excluded.version;
  return (select fleet from meta);
end $$;

create function unjam.beat(installation text) returns table (now_ms double precision, retired boolean)
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  return query update host h set beat = h.beat + 1, seen_at = clock_timestamp()
    where h.id = session_user and h.installation = beat.installation
    returning extract(epoch from clock_timestamp()) * 1000.0::double precision, h.retired_at is not null;
end $$;

create function unjam.leave_fleet() returns void
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  if exists (select from mutex m, all_of(m.state) a where a.entry->>'host' = session_user and a.list <> 'abandoned') then
    raise exception 'refused: scripts of "%" hold or wait for mutexes of the fleet', session_user using errcode = 'UJ002';
  end if;
  delete from host where id = session_user;
end $$;

-- What a person does to another host; who may is decided by the grants below.
create function unjam.retire(id text, why text) returns void
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  update host h set retired_at = clock_timestamp(), retired_by = session_user, retired_why = why where h.id = retire.id;
  if not found then raise exception 'refused: there is no host "%"', retire.id using errcode = 'UJ004'; end if;
  insert into audit (host, what, reason) values (retire.id, 'retired', why);
end $$;

create function unjam.admit(id text, why text) returns void
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  update host h set retired_at = null, retired_by = null, retired_why = null where h.id = admit.id;
  if not found then raise exception 'refused: there is no host "%"', admit.id using errcode = 'UJ004'; end if;
  insert into audit (host, what, reason) values (admit.id, 'admitted', why);
end $$;

revoke all on all functions in schema unjam from public;
grant execute on function unjam.join_fleet, unjam.beat, unjam.leave_fleet to unjam_host;
grant execute on function unjam.retire, unjam.admit to unjam_operator;
`;

/**
 * By which transaction a mutex was changed last: a host asks for what was changed since its last look by all that were
 * not done then. A time would not do: a change is seen at its commit, later than the time that it has.
 */
const changes = `
alter table unjam.mutex add column changed_in xid8 not null default '0';
create index on unjam.mutex (changed_in);
`;

/** What brings a schema of that version to the next one. It only adds: hosts of the version before go on as they were. */
const steps: Readonly<Record<number, string>> = {
  1: callSchema,
  2: withdrawalSchema + sight,
  3: guardFunction,
  4: snapshotSchema,
  5: seenSchema,
  6: changes + guardFunction,
};

/** What was added to a schema of that version. */
export const addedSince = (version: number): string =>
  Object.entries(steps)
    .flatMap(([from, step]) => (Number(from) >= version ? [step] : []))
    .join('\n');

/** From a known version to the present one, in one transaction. */
export const migrationFrom = (version: number): string =>
  ['begin;', addedSince(version), `update unjam.meta set schema_version = ${schemaVersion};`, 'commit;'].join('\n');

/** One transaction. The database must be one of its own; the role must be its owner and may make roles. */
export const schema = `begin;\n${roles}\n${tables}\n${guard}\n${functions}\n${addedSince(1)}\ncommit;`;
