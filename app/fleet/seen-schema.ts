/** What lets a host notice that the engine was restored: its own row counts its signs of life and never goes back by itself. */
export const seenSchema = `
grant select (beat) on unjam.host to unjam_host;

create function unjam.restored(why text) returns void
language plpgsql security definer set search_path = unjam, pg_catalog as $$
begin
  insert into audit (host, what, reason) values (session_user, 'restored', why);
end $$;
revoke all on function unjam.restored from public;
grant execute on function unjam.restored to unjam_host;
`;
