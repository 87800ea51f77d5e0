/** Sends bytes to an address in the name of the account that it runs as, and gives back what was answered. */
import { connect } from 'node:net';

export interface Order {
  readonly id: number;
  /** A path, or a port of the loopback address. */
  readonly address: string | number;
  readonly bytes: Uint8Array;
  /** Says that nothing more will come: for what is no whole request. */
  readonly ends: boolean;
}
export interface Answered {
  readonly id: number;
  /** As latin1; null when nothing came for so long that nothing will. */
  readonly answer: string | null;
}

/** Two silences of this length: one alone also comes of a pause of this process, or of the whole machine. */
const silenceMs = 30_000;

process.on('message', ({ id, address, bytes, ends }: Order) => {
  const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
  let answer: string | null = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer = `${answer ?? ''}${text}`;
    // A stream of events has no end.
    if (/^content-type: text\/event-stream\r?$/im.test(answer) && answer.includes('\ndata: ')) socket.destroy();
  });
  socket.on('error', () => undefined); // a reset is an answer as well
  let silences = 0;
  socket.setTimeout(silenceMs, () => {
    silences += 1;
    if (silences === 1) socket.setTimeout(silenceMs);
    else {
      answer = null;
      socket.destroy();
    }
  });
  socket.once('close', () => process.send?.({ id, answer } satisfies Answered));
  socket.write(bytes);
  if (ends) socket.end();
});
process.on('disconnect', () => process.exit(0));
