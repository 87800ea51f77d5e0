/** The record of the machine's host: a value below HKLM, which everybody reads and only administrators write. */
import { readMachineText, writeMachineText } from './registry.ts';

const [path, name] = ['SOFTWARE\\Unjam', 'Host'];

export const readMachineRecord = (): string | null => readMachineText(path, name);

/** Null removes it. @throws Error with `code` when the registry refuses */
export const writeMachineRecord = (text: string | null): void => writeMachineText(path, name, text);
