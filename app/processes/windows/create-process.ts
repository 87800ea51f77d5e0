/**
 * CreateProcessW with an attribute list: the process inherits the handles that are listed and no others, and is born in
 * the job that is listed.
 * https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
 */
import { windowsError } from './errors.ts';
import { addressOf, bind, type Handle } from './ffi.ts';
import { isHandle, withLastError } from './kernel.ts';

const createFile = bind<
  (
    name: string,
    rights: number,
    share: number,
    security: Buffer,
    creation: number,
    flags: number,
    template: null,
  ) => Handle
>('kernel32', 'uintptr_t', 'CreateFileW', 'str16', 'uint32', 'uint32', 'void *', 'uint32', 'uint32', 'void *');
const createProcessW = bind<
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
const getStdHandle = bind<(which: number) => Handle>('kernel32', 'uintptr_t', 'GetStdHandle', 'uint32');
const setHandleInformation = bind<(handle: Handle, mask: number, flags: number) => number>(
  'kernel32',
  'int32',
  'SetHandleInformation',
  'uintptr_t',
  'uint32',
  'uint32',
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

/** https://learn.microsoft.com/windows/win32/procthread/process-creation-flags */
export const creation = {
  suspended: 0x4,
  detached: 0x8,
  newProcessGroup: 0x200,
  unicodeEnvironment: 0x400,
  extendedStartupInfo: 0x80000,
  breakawayFromJob: 0x01000000,
  noWindow: 0x08000000,
} as const;
/** https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute */
const attribute = { handleList: 0x20002, jobList: 0x2000d } as const;

export interface Created {
  readonly process: Handle;
  readonly thread: Handle;
  readonly pid: number;
}

export interface CreateRequest {
  /** Full path of the program. */
  readonly application: string;
  readonly commandLine: string;
  readonly cwd: string;
  readonly environment: Buffer;
  /** Of `creation`; the Unicode environment is always set. */
  readonly flags: number;
  /** Inheritable; null starts the process without any handle of this one. */
  readonly standard: { readonly input: Handle; readonly output: Handle; readonly errors: Handle } | null;
  readonly job: Handle | null;
}

/** The created process, or the Windows error. */
export function createProcess(request: CreateRequest): Created | { readonly error: number } {
  const { standard, job } = request;
  const attributes = attributeList([
    ...(standard
      ? [
          {
            attribute: attribute.handleList,
            handles: [...new Set([standard.input, standard.output, standard.errors])], // one that is listed twice is refused
          },
        ]
      : []),
    ...(job === null ? [] : [{ attribute: attribute.jobList, handles: [job] }]),
  ]);
  try {
    const information = Buffer.alloc(24);
    const { result, error } = withLastError(() =>
      createProcessW(
        request.application,
        Buffer.from(`${request.commandLine}\0`, 'utf16le'),
        null,
        null,
        standard ? 1 : 0,
        request.flags | creation.unicodeEnvironment | creation.extendedStartupInfo,
        request.environment,
        request.cwd,
        startupInfo(standard, attributes.list),
        information,
      ),
    );
    if (!result) return { error: error || 31 };
    return {
      process: information.readBigUInt64LE(0),
      thread: information.readBigUInt64LE(8),
      pid: information.readUInt32LE(16),
    };
  } finally {
    attributes.free();
  }
}

/** https://learn.microsoft.com/windows/win32/fileio/file-access-rights-constants; `append` cannot overwrite or truncate. */
export const file = {
  read: { rights: 0x80000000, creation: 3 },
  /** FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE: each write goes to the end, also from several processes. */
  append: { rights: 0x4 | 0x80 | 0x100000, creation: 4 },
} as const;

/** Shared with everybody for everything, so that logs can be read, renamed and removed while they grow. */
export function openInheritable(path: string, how: (typeof file)[keyof typeof file]): Handle {
  // SECURITY_ATTRIBUTES: length, default descriptor, bInheritHandle.
  const security = Buffer.alloc(24);
  security.writeUInt32LE(24, 0);
  security.writeUInt32LE(1, 16);
  const shareAll = 7;
  const normal = 0x80;
  const { result, error } = withLastError(() =>
    createFile(path, how.rights, shareAll, security, how.creation, normal, null),
  );
  if (!isHandle(result)) throw windowsError(`${path} cannot be opened for output`, error);
  return result;
}

const standardStreams = { input: -10, output: -11, errors: -12 } as const;

/** A standard stream of this process, made inheritable; null when it has none. Not to be closed. */
export function ownStream(which: keyof typeof standardStreams): Handle | null {
  const handle = getStdHandle(standardStreams[which] >>> 0);
  const inherit = 1;
  return isHandle(handle) && setHandleInformation(handle, inherit, inherit) !== 0 ? handle : null;
}

function attributeList(entries: readonly { readonly attribute: number; readonly handles: readonly Handle[] }[]) {
  const size: [number] = [0];
  initializeAttributeList(null, Math.max(1, entries.length), 0, size);
  const list = Buffer.alloc(size[0]);
  const made = withLastError(() => initializeAttributeList(list, Math.max(1, entries.length), 0, size));
  if (!made.result) throw windowsError('No attribute list could be made', made.error);
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

/** STARTUPINFOEXW, 112 bytes on x64; STARTF_USESTDHANDLES when there are any. */
function startupInfo(standard: CreateRequest['standard'], attributes: Buffer): Buffer {
  const info = Buffer.alloc(112);
  info.writeUInt32LE(112, 0);
  if (standard) {
    info.writeUInt32LE(0x100, 60);
    info.writeBigUInt64LE(BigInt(standard.input), 80);
    info.writeBigUInt64LE(BigInt(standard.output), 88);
    info.writeBigUInt64LE(BigInt(standard.errors), 96);
  }
  info.writeBigUInt64LE(addressOf(attributes), 104);
  return info;
}
