/** Electron gives the page a bridge; a browser has HTTP. */
import type { Bridge, ConsoleClient } from '../contract.ts';
import { BridgeClient } from './bridge-client.ts';
import { BrowserClient } from './browser-client.ts';

declare global {
  interface Window {
    readonly bridge?: Bridge;
  }
}

export function chooseClient(): ConsoleClient {
  return window.bridge === undefined ? new BrowserClient() : new BridgeClient(window.bridge);
}
