/** The host that serves the whole machine, where an administrator has installed one as a service. */
import * as v from 'valibot';
import { UnjamError } from '../contract/errors.ts';
import { ownerIds, readMachineRecord, recordPath, writeMachineRecord } from '../processes/index.ts';

const MachineHostSchema = v.object({
  schema: v.literal(1),
  stateDirectory: v.pipe(v.string(), v.minLength(1)),
  /** Address of the socket or pipe that lets in who was given a role. */
  door: v.pipe(v.string(), v.minLength(1)),
  /** Id of the account that the host runs as: `uid:0`, `S-1-5-18`. */
  account: v.pipe(v.string(), v.minLength(1)),
});
export type MachineHost = v.InferOutput<typeof MachineHostSchema>;

/** Null when there is none. @throws UnjamError `state-directory` when the record is not to be believed */
export async function machineHost(): Promise<MachineHost | null> {
  try {
    const text = await readMachineRecord();
    return text === null ? null : v.parse(MachineHostSchema, JSON.parse(text));
  } catch (error) {
    const why = v.isValiError<typeof MachineHostSchema>(error) ? said(error) : (error as Error).message;
    throw new UnjamError(
      'state-directory',
      `The record of this machine's host cannot be used: ${why}.`,
      `Correct ${recordPath()} as an administrator, or install the service again with "unjam service install".`,
    );
  }
}

const said = ({ issues: [issue], message }: v.ValiError<typeof MachineHostSchema>): string =>
  `"${v.getDotPath(issue) ?? 'the whole'}": ${message}`;

/** @throws the system's error when the caller may not */
export const recordMachineHost = (host: MachineHost | null): Promise<void> =>
  writeMachineRecord(host === null ? null : `${JSON.stringify(host)}\n`);

/** True for a process that may be the host itself; anybody else is a client of it. */
export async function mayHost({ account }: MachineHost): Promise<boolean> {
  const [own, ...administrators] = await ownerIds();
  return own === account || (own !== undefined && administrators.includes(own));
}
