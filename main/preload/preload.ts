/**
 * The only bridge between the page and the main process: two functions, no Electron object, no event object.
 * Built to one CommonJS file, because a sandboxed preload can load nothing but `electron`.
 */
import { contextBridge, ipcRenderer } from 'electron';
import type { Bridge } from '../../app/contract/window.ts';

const bridge: Bridge = {
  call: (method, input) => ipcRenderer.invoke('rpc', method, input),
  on: (event, listener) => {
    const heard = (_event: unknown, name: unknown, payload: unknown) => {
      if (name === event) listener(payload);
    };
    ipcRenderer.on('event', heard);
    return () => {
      ipcRenderer.off('event', heard);
    };
  },
};

contextBridge.exposeInMainWorld('bridge', bridge);
