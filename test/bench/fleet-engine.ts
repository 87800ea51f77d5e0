/** What the benchmarks of a fleet share: an engine of their own with the schema, its hosts, and what it uses. */
import type { FleetConfig } from '../../app/fleet/config.ts';
import { schema } from '../../app/fleet/schema.ts';
import type { LivenessProbe } from '../../app/locks/index.ts';
import { Postgres } from '../support/postgres.ts';

export const everybodyLives: LivenessProbe = { liveness: () => 'alive', treeLiveness: () => 'alive' };

export const fleetConfig = (host: string, port: number): FleetConfig & { readonly engine: { host: string } } => ({
  schema: 1,
  fleet: 'bench',
  installation: host,
  engine: { host: '127.0.0.1', port, database: 'postgres', user: host },
});

/** With the schema, the person "oncall" and these hosts. */
export async function openFleet(hosts: readonly string[], connections: number): Promise<Postgres> {
  const postgres = await Postgres.open(undefined, connections);
  await postgres.sql(`${schema}\ncreate role oncall login in role unjam_operator;`);
  await postgres.sql(hosts.map((host) => `create role "${host}" login in role unjam_host;`).join('\n'));
  await postgres.sql(
    `insert into unjam.host (id, installation, version) select h, h, '0.1.0' from unnest($1::text[]) h`,
    'postgres',
    [hosts],
  );
  return postgres;
}
