/** `unjam fleet` and its commands. */
import { type Command, Option } from 'commander';
import { example, jsonOption } from './command.ts';

interface As {
  json?: boolean;
  as?: string;
}

const load = () => import('./fleet.ts');

export function fleetCommands(program: Command): void {
  const fleet = program
    .command('fleet')
    .description('mutexes that several hosts share, kept in a PostgreSQL of yours (docs/fleet.md)');
  example(fleet, 'unjam fleet join web-1.json');

  const init = ownerOptions(fleet.command('init').description('make a fleet in a database of its own')).action(
    async (o: { engine: string; ca?: string }) => (await load()).init(o),
  );
  example(init, 'unjam fleet init --engine postgresql://postgres@db.example.com/unjam --ca ca.pem');
  const migrate = ownerOptions(
    fleet.command('migrate').description('bring the engine up to this version of Unjam; hosts go on meanwhile'),
  ).action(async (o: { engine: string; ca?: string }) => (await load()).migrate(o));
  example(migrate, 'unjam fleet migrate --engine postgresql://postgres@db.example.com/unjam --ca ca.pem');
  const invite = ownerOptions(
    fleet.command('invite <name>').description('make a login for a host, or for a person, and the file to join with'),
  )
    .requiredOption('--out <file>', 'the file to write; whoever has it is let in')
    .addOption(new Option('--operator', 'a person who may abandon, retire and admit').conflicts('viewer'))
    .option('--viewer', 'a person who may look')
    .action(async (name: string, o: Parameters<Awaited<ReturnType<typeof load>>['invite']>[1]) =>
      (await load()).invite(name, o),
    );
  example(invite, 'unjam fleet invite web-1 --engine postgresql://postgres@db.example.com/unjam --out web-1.json');
  const join = fleet
    .command('join <file>')
    .description('join the fleet with the invitation of this host')
    .action(async (file: string) => (await load()).join(file));
  example(join, 'unjam fleet join web-1.json');
  const leave = fleet
    .command('leave')
    .description('leave the fleet; refused while scripts of this host hold or wait for its mutexes')
    .action(async () => (await load()).leave());
  example(leave, 'unjam fleet leave');
  const login = fleet
    .command('login <file>')
    .description(
      'let console and API of this host show your own account the scripts of all hosts, with your own invitation',
    )
    .action(async (file: string) => (await load()).login(file));
  example(login, 'unjam fleet login oncall.json');
  const logout = fleet
    .command('logout')
    .description('remove that invitation from this host')
    .action(async () => (await load()).logout());
  example(logout, 'unjam fleet logout');
  const restored = fleet
    .command('restored')
    .description('after a backup of the engine was restored and its holders were compared: let this host go on')
    .requiredOption('--reason <reason>', 'for the audit')
    .action(async (o: { reason: string }) => (await load()).restored(o));
  example(restored, 'unjam fleet restored --reason INC-4471');
  const doctor = looking(
    fleet.command('doctor').description('whether the engine, its settings and the rights there are as they must be'),
  ).action(async (o: As) => (await load()).doctor(o));
  example(doctor, 'unjam fleet doctor');
  const hosts = looking(
    fleet.command('hosts').description('the hosts, whether they are reachable, and what they hold'),
  ).action(async (o: As) => (await load()).hosts(o));
  example(hosts, 'unjam fleet hosts --as oncall.json');
  const ps = looking(
    fleet
      .command('ps')
      .description('the living scripts of all hosts in one list')
      .option('--stuck', 'only those that are stuck'),
  ).action(async (o: As & { stuck?: boolean }) => (await import('./fleet-ps.ts')).ps(o));
  example(ps, 'unjam fleet ps --stuck --as oncall.json');
  const locks = looking(fleet.command('locks').description('the mutexes in use, who holds them and who waits')).action(
    async (o: As) => (await load()).locks(o),
  );
  example(locks, 'unjam fleet locks --as oncall.json');
  const abandon = acting(
    fleet
      .command('abandon <mutex> <script>')
      .description('take a mutex from TICKET@HOST, or its place in the queue; ends nothing'),
  ).action(async (mutex: string, script: string, o: As & { reason: string }) =>
    (await load()).abandon(mutex, script, o),
  );
  example(abandon, 'unjam fleet abandon web deploy-7@web-2 --reason INC-4471 --as oncall.json');
  const retire = acting(
    fleet
      .command('retire <host>')
      .description('take all mutexes from a host that is gone, and let it back only when admitted'),
  ).action(async (host: string, o: As & { reason: string }) => (await load()).retire(host, o));
  example(retire, 'unjam fleet retire web-2 --reason "disk died" --as oncall.json');
  const admit = acting(fleet.command('admit <host>').description('let a retired host in again')).action(
    async (host: string, o: As & { reason: string }) => (await load()).admit(host, o),
  );
  example(admit, 'unjam fleet admit web-2 --reason "new disk" --as oncall.json');
}

const ownerOptions = (command: Command): Command =>
  command
    .requiredOption('--engine <address>', 'postgresql://OWNER@HOST/DATABASE, as the owner of the database')
    .option('--ca <file>', 'certificate of the authority that signed the engine’s (default: those of the system)');

const looking = (command: Command): Command =>
  jsonOption(command).option('--as <file>', 'your own invitation (default: UNJAM_FLEET_AS)');

const acting = (command: Command): Command =>
  command
    .requiredOption('--reason <reason>', 'for the audit')
    .option('--as <file>', 'your own invitation (default: UNJAM_FLEET_AS)');
