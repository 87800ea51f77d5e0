/** What the preload script of the desktop application gives the page, over the host of the specs. */
export function standInBridge(): void {
  const listeners = new Map<string, (payload: unknown) => void>();
  const call = async (method: string, input: unknown): Promise<unknown> => {
    const headers = { 'x-unjam-key': localStorage.getItem('unjam-key') ?? '' };
    return await (await fetch(`/rpc/${method}`, { method: 'POST', headers, body: JSON.stringify(input) })).json();
  };
  const on = (event: string, listener: (payload: unknown) => void): (() => void) => {
    listeners.set(event, listener);
    if (event === 'snapshot')
      void call('overview.get', {}).then((reply) => listener((reply as { value: unknown }).value));
    return () => listeners.delete(event);
  };
  const emit = (event: string, payload: unknown): void => listeners.get(event)?.(payload);
  Object.assign(window, { bridge: { call, on }, emit });
}
