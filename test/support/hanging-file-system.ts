/**
 * A FUSE file system whose daemon takes requests and never answers: who touches it waits in the kernel, and SIGKILL
 * stays pending (fuse(4); fs/fuse/dev.c, request_wait_answer). Linux, root, /dev/fuse.
 */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, read, rmdirSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import koffi from 'koffi';

export const canMountFuse = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/dev/fuse');

const opcodeInit = 26;
const headerBytes = 16;
const initBytes = 64;

export class HangingFileSystem implements AsyncDisposable {
  readonly path: string;
  readonly #device: number;
  #isGone = false;

  private constructor(path: string, device: number) {
    this.path = path;
    this.#device = device;
  }

  static async mount(path: string): Promise<HangingFileSystem> {
    mkdirSync(path);
    const device = openSync('/dev/fuse', 'r+');
    const mount = koffi.load('libc.so.6').func('int mount(str, str, str, ulong, str)');
    const options = `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other`;
    if (mount('unjam-test', path, 'fuse', 0, options) !== 0) throw new Error(`mount(2): error ${koffi.errno()}`);
    const system = new HangingFileSystem(path, device);
    await system.#initialise();
    void system.#takeRequests();
    return system;
  }

  /** The kernel asks once who is there; nothing else is answered. */
  async #initialise(): Promise<void> {
    const request = await this.#read();
    if (request?.readUInt32LE(4) !== opcodeInit) throw new Error('The kernel did not begin with FUSE_INIT.');
    const answer = Buffer.alloc(headerBytes + initBytes);
    answer.writeUInt32LE(answer.length, 0);
    request.copy(answer, 8, 8, 16); // unique
    answer.writeUInt32LE(7, headerBytes); // protocol 7.31
    answer.writeUInt32LE(31, headerBytes + 4);
    answer.writeUInt32LE(4_096, headerBytes + 20); // max_write
    writeSync(this.#device, answer);
  }

  async #takeRequests(): Promise<void> {
    while ((await this.#read()) !== null);
    closeSync(this.#device);
  }

  /** Null when the file system has been taken away. */
  #read(): Promise<Buffer | null> {
    const buffer = Buffer.alloc(65_536);
    return new Promise((resolve) => {
      read(this.#device, buffer, 0, buffer.length, null, (error, length) =>
        resolve(error ? null : buffer.subarray(0, length)),
      );
    });
  }

  /** Whoever waits in it gets an error (ENOTCONN), and a pending SIGKILL acts. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    await promisify(execFile)('umount', ['--force', '--lazy', this.path]);
    rmdirSync(this.path);
  }
}
