/**
 * The part of the engine's schema by which a person asks another host: schema version 2, and 3 with the withdrawal.
 * Nobody but these functions reads or writes the table, so that who asks, when, and as what is the engine's word and
 * not the caller's.
 */

/** How long a host has to take a call, s. After that nobody carries it out. */
const toTakeS = 30;
/** How long a host has to answer one that it has taken, s; a long poll takes up to 30 s. */
const toAnswerS = 120;
/** How long an answer waits for who asked, s. */
const toReadS = 60;
/** Calls of one person that nobody has answered yet. */
const openMax = 50;
/** What the audit tells: the calls that act. */
const audited = `('scripts.cancel', 'scripts.kill', 'scripts.abandon', 'scripts.complete', 'locks.abandon', 'locks.resume')`;

/**
 * UJ004: no such host. UJ005: too many. Unlogged: logs of scripts are neither in the engine's own log nor on a standby,
 * and after a crash of the engine no call is left that could be taken late. An answer is text: JSONB takes no NUL.
 */
export const callSchema = `
create unlogged table unjam.call (
  id bigint generated always as identity primary key,
  host text not null,
  actor text not null default session_user,
  role text not null,
  at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null default clock_timestamp() + interval '${toTakeS} s',
  method text not null check (length(method) <= 100),
  input jsonb not null check (pg_column_size(input) <= 65536),
  taken_at timestamptz,
  answer text check (length(answer) <= 16777216),
  answered_at timestamptz
);
create index on unjam.call (host) where taken_at is null;

-- What nobody will read or carry out any more; called by whoever comes by.
create function unjam.forget_calls() returns void
language sql security definer set search_path = unjam, pg_catalog as $$
  delete from call where id in (select id from call
    where answered_at < clock_timestamp() - interval '${toReadS} s'
      or (answered_at is null and at < clock_timestamp() - interval '${toTakeS + toAnswerS} s')
    for update skip locked)
$$;

create function unjam.ask(host text, method text, input jsonb) returns bigint
language plpgsql security definer set search_path = unjam, pg_catalog as $$
declare made bigint;
begin
  perform forget_calls();
  if not exists (select from host h where h.id = ask.host and h.retired_at is null) then
    raise exception 'refused: there is no host "%", or it is retired', ask.host using errcode = 'UJ004';
  end if;
  if (select count(*) >= ${openMax} from call c where c.actor = session_user and c.answered_at is null) then
    raise exception 'refused: "%" has ${openMax} calls without an answer', session_user using errcode = 'UJ005';
  end if;
  insert into call (host, role, method, input)
    values (ask.host, case when pg_has_role(session_user, 'unjam_operator', 'member') then 'operator' else 'viewer' end,
      ask.method, ask.input)
    returning id into made;
  if ask.method in ${audited} then
    insert into audit (host, ticket, mutex, what, reason)
      values (ask.host, ask.input->>'ticket', ask.input->>'name', 'asked ' || ask.method, ask.input->>'reason');
  end if;
  return made;
end $$;

-- For the host alone that asks, and each once. \`left_ms\`: so long it may still be begun.
create function unjam.take_calls(installation text)
returns table (id bigint, actor text, role text, method text, input jsonb, left_ms double precision)
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  perform forget_calls();
  return query update call c set taken_at = clock_timestamp()
    where c.host = session_user and c.taken_at is null and c.expires_at > clock_timestamp()
      and exists (select from host h where h.id = session_user and h.installation = take_calls.installation
        and h.retired_at is null)
    returning c.id, c.actor, c.role, c.method, c.input,
      extract(epoch from c.expires_at - clock_timestamp()) * 1000.0::double precision;
end $$;

create function unjam.answer(id bigint, answer text) returns void
language sql security definer set search_path = unjam, pg_catalog as $$
  update call c set answer = $2, answered_at = clock_timestamp()
    where c.id = $1 and c.host = session_user and c.taken_at is not null and c.answered_at is null
$$;

-- To who asked, once. A call that was not taken in its time is removed: then it is certain that nobody carries it out.
create function unjam.answer_of(id bigint, out state text, out answer text)
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  delete from call c where c.id = $1 and c.actor = session_user and c.answered_at is not null
    returning 'answered', c.answer into state, answer;
  if found then return; end if;
  delete from call c where c.id = $1 and c.actor = session_user and c.taken_at is null
    and c.expires_at <= clock_timestamp();
  if found then state := 'expired'; return; end if;
  select case when c.taken_at is null then 'open' else 'taken' end into state
    from call c where c.id = $1 and c.actor = session_user;
  state := coalesce(state, 'gone');
end $$;

revoke all on function unjam.forget_calls, unjam.ask, unjam.take_calls, unjam.answer, unjam.answer_of from public;
grant execute on function unjam.ask, unjam.answer_of to unjam_operator, unjam_viewer;
grant execute on function unjam.take_calls, unjam.answer to unjam_host;
`;

/** A call is withdrawn by who asked and while nobody has taken it, or not at all: a host takes the same row or finds none. */
export const withdrawalSchema = `
create function unjam.withdraw(id bigint) returns boolean
language sql security definer set search_path = unjam, pg_catalog as $$
  with withdrawn as (
    delete from call c where c.id = $1 and c.actor = session_user and c.taken_at is null returning c.*
  ), told as (
    insert into audit (host, ticket, mutex, what, reason)
      select w.host, w.input->>'ticket', w.input->>'name', 'withdrew ' || w.method, w.input->>'reason'
      from withdrawn w where w.method in ${audited}
  )
  select exists (select from withdrawn)
$$;

revoke all on function unjam.withdraw from public;
grant execute on function unjam.withdraw to unjam_operator, unjam_viewer;
`;
