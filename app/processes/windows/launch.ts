/**
 * Starts a script: born in its job, behind a closed gate, with a hidden console of its own and exactly three handles.
 *
 * Node's own `spawn` cannot do it: without `detached` the script lands in libuv's job that dies with its parent, with
 * `detached` it has no console and so no Ctrl-C (research: libuv 1.51, measured under Wine 8 and 10).
 */
import type { ExitStatus, LaunchedScript, LaunchRequest } from '../control.ts';
import { batchCommandLine, isBatchFile, programCommandLine } from './command-line.ts';
import { environmentBlock } from './environment.ts';
import { InvalidInputError, windowsError } from './errors.ts';
import { addressOf, bind, type Handle } from './ffi.ts';
import { createJob, type Job, setKillOnClose } from './job.ts';
import { closeHandle, exitCodeOf, isHandle, isRunning, terminateProcess, withLastError } from './kernel.ts';
import { identify } from './identity.ts';
import type { Place } from './process-table.ts';

const createFile = bind<
  (name: string, rights: number, share: number, security: Buffer, creation: number, flags: number, template: null) => Handle
>('kernel32', 'uintptr_t', 'CreateFileW', 'str16', 'uint32', 'uint32', 'void *', 'uint32', 'uint32', 'void *');
const createProcess = bind<
  (
    application: string,
    commandLine: Buffer,
    processSecurity: null,
    threadSecurity: null,
    inherit: number,
    flags: number,
    environment: Buffer,
    folder: string,
    startup: Buffer,
    information: Buffer,
  ) => number
>(
  'kernel32',
  'int32',
  'CreateProcessW',
  'str16',
  'void *',
  'void *',
  'void *',
  'int32',
  'uint32',
  'void *',
  'str16',
  'void *',
  '_Out_ void *',
);
const initializeAttributeList = bind<(list: Buffer | null, count: number, flags: number, size: [number]) => number>(
  'kernel32',
  'int32',
  'InitializeProcThreadAttributeList',
  'void *',
  'uint32',
  'uint32',
  '_Inout_ size_t *',
);
const updateAttribute = bind<
  (list: Buffer, flags: number, attribute: number, value: Buffer, size: number, previous: null, got: null) => number
>(
  'kernel32',
  'int32',
  'UpdateProcThreadAttribute',
  'void *',
  'uint32',
  'uintptr_t',
  'void *',
  'size_t',
  'void *',
  'void *',
);
const deleteAttributeList = bind<(list: Buffer) => void>('kernel32', 'void', 'DeleteProcThreadAttributeList', 'void *');
const resumeThread = bind<(thread: Handle) => number>('kernel32', 'uint32', 'ResumeThread', 'uintptr_t');

/** https://learn.microsoft.com/windows/win32/procthread/process-creation-flags */
const creation = { suspended: 0x4, unicodeEnvironment: 0x400, extendedStartupInfo: 0x80000, noWindow: 0x08000000 } as const;
/** https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute */
const attribute = { handleList: 0x20002, jobList: 0x2000d } as const;

interface Created {
  readonly process: Handle;
  readonly thread: Handle;
  readonly pid: number;
}

/** The job's handle stays with the caller, the process's handle with the poll that waits for its end. */
export function launch(place: Place, request: LaunchRequest): { readonly script: LaunchedScript; readonly job: Job } {
  const commandLine = commandLineOf(request);
  const environment = environmentBlock(request.environment, process.env);
  const job = createJob();
  let created: Created;
  try {
    // Until the gate opens, the script dies with its runner: nobody would ever open it.
    setKillOnClose(job.handle, true);
    created = createSuspended(request, commandLine, environment, job);
  } catch (error) {
    closeHandle(job.handle);
    throw error;
  }
  const root = identify(place, created.pid);
  if (!root) {
    terminateProcess(created.process);
    for (const handle of [created.thread, created.process, job.handle]) closeHandle(handle);
    throw windowsError(`${request.file} was ended by another program before its first instruction`, 31);
  }
  let gate: 'closed' | 'open' | 'never' = 'closed';
  const script: LaunchedScript = {
    scope: { root, runId: request.runId, group: null, job: job.name },
    release() {
      if (gate !== 'closed') return;
      gate = 'open';
      setKillOnClose(job.handle, false);
      resumeThread(created.thread);
      closeHandle(created.thread);
    },
    abort() {
      if (gate !== 'closed') return;
      gate = 'never';
      terminateProcess(created.process);
      closeHandle(created.thread);
    },
    exited: exitOf(created.process),
  };
  return { script, job };
}

function commandLineOf(request: LaunchRequest): { readonly application: string; readonly line: string } {
  if (!isBatchFile(request.file))
    return { application: request.file, line: programCommandLine(request.file, request.args) };
  // Not ComSpec: a script's environment must not choose the program that Unjam starts.
  const shell = `${process.env['SystemRoot'] ?? 'C:\\Windows'}\\System32\\cmd.exe`;
  return { application: shell, line: batchCommandLine(shell, request.file, request.args) };
}

function createSuspended(
  request: LaunchRequest,
  command: { readonly application: string; readonly line: string },
  environment: Buffer,
  job: Job,
): Created {
  if (request.cwd.includes('\0')) throw new InvalidInputError('The working folder contains a zero character.');
  const opened: Handle[] = [];
  try {
    const open = (path: string, rights: number, how: number): Handle => {
      const handle = openInheritable(path, rights, how);
      opened.push(handle);
      return handle;
    };
    const input = open('NUL', file.read, file.openExisting);
    const output = open(request.stdoutPath, file.append, file.openAlways);
    const errors = open(request.stderrPath, file.append, file.openAlways);
    const attributes = attributeList(
      { attribute: attribute.handleList, handles: opened },
      { attribute: attribute.jobList, handles: [job.handle] },
    );
    const information = Buffer.alloc(24);
    const { result, error } = withLastError(() =>
      createProcess(
        command.application,
        Buffer.from(`${command.line}\0`, 'utf16le'),
        null,
        null,
        1,
        creation.suspended | creation.unicodeEnvironment | creation.extendedStartupInfo | creation.noWindow,
        environment,
        request.cwd,
        startupInfo(input, output, errors, attributes.list),
        information,
      ),
    );
    attributes.free();
    if (!result) throw windowsError(`Windows did not start ${request.file}`, error);
    return {
      process: information.readBigUInt64LE(0),
      thread: information.readBigUInt64LE(8),
      pid: information.readUInt32LE(16),
    };
  } finally {
    for (const handle of opened) closeHandle(handle);
  }
}

/** https://learn.microsoft.com/windows/win32/fileio/file-access-rights-constants; `append` cannot overwrite or truncate. */
const file = {
  read: 0x80000000,
  /** FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE: each write goes to the end, also from several processes. */
  append: 0x4 | 0x80 | 0x100000,
  shareAll: 7,
  openExisting: 3,
  openAlways: 4,
  normal: 0x80,
} as const;

function openInheritable(path: string, rights: number, how: number): Handle {
  // SECURITY_ATTRIBUTES: length, default descriptor, bInheritHandle.
  const security = Buffer.alloc(24);
  security.writeUInt32LE(24, 0);
  security.writeUInt32LE(1, 16);
  const { result, error } = withLastError(() =>
    createFile(path, rights, file.shareAll, security, how, file.normal, null),
  );
  if (!isHandle(result)) throw windowsError(`${path} cannot be opened for the script's output`, error);
  return result;
}

function attributeList(...entries: readonly { readonly attribute: number; readonly handles: readonly Handle[] }[]) {
  const size: [number] = [0];
  initializeAttributeList(null, entries.length, 0, size);
  const list = Buffer.alloc(size[0]);
  if (!initializeAttributeList(list, entries.length, 0, size)) throw new Error('No attribute list could be made.');
  // The list keeps addresses of these buffers, so they must live until it is freed.
  const values = entries.map(({ attribute, handles }) => {
    const value = Buffer.alloc(8 * handles.length);
    handles.forEach((handle, i) => value.writeBigUInt64LE(BigInt(handle), 8 * i));
    const { result, error } = withLastError(() => updateAttribute(list, 0, attribute, value, value.length, null, null));
    if (!result) throw windowsError('An attribute for the new process was refused', error);
    return value;
  });
  return {
    list,
    free: () => {
      deleteAttributeList(list);
      values.length = 0;
    },
  };
}

/** STARTUPINFOEXW, 112 bytes on x64, with STARTF_USESTDHANDLES. */
function startupInfo(input: Handle, output: Handle, errors: Handle, attributes: Buffer): Buffer {
  const info = Buffer.alloc(112);
  info.writeUInt32LE(112, 0);
  info.writeUInt32LE(0x100, 60);
  info.writeBigUInt64LE(BigInt(input), 80);
  info.writeBigUInt64LE(BigInt(output), 88);
  info.writeBigUInt64LE(BigInt(errors), 96);
  info.writeBigUInt64LE(addressOf(attributes), 104);
  return info;
}

/**
 * Polls with waits of zero milliseconds, 15 ms apart in the first two seconds and 50 ms afterwards. Infinite waits on
 * koffi's threads would fill libuv's pool: twenty of them stopped `fs.readFile` for 3.8 s (measured).
 */
function exitOf(process: Handle): Promise<ExitStatus> {
  const began = performance.now();
  return new Promise((resolve) => {
    const look = (): void => {
      if (isRunning(process)) {
        setTimeout(look, performance.now() - began < 2_000 ? 15 : 50);
        return;
      }
      const code = exitCodeOf(process);
      closeHandle(process);
      resolve({ code, signal: null });
    };
    setTimeout(look, 15);
  });
}
