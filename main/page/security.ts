/** Closes every door of Chromium that the console does not use; docs/security.md names the test for each. */
import type { App, Session } from 'electron';
import { isConsoleUrl } from './protocol.ts';

/** The only permission: `navigator.clipboard.writeText` inside a user gesture ("Copy command line"). Reading stays denied. */
function mayHave(permission: string, origin: string): boolean {
  return permission === 'clipboard-sanitized-write' && isConsoleUrl(origin);
}

export function lockSession(
  session: Pick<
    Session,
    | 'setPermissionRequestHandler'
    | 'setPermissionCheckHandler'
    | 'setDevicePermissionHandler'
    | 'setDisplayMediaRequestHandler'
    | 'on'
    | 'setProxy'
  > & { readonly webRequest: Pick<Session['webRequest'], 'onBeforeRequest'> },
): void {
  session.setPermissionRequestHandler((_contents, permission, callback, details) =>
    callback(mayHave(permission, details.requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, origin) => mayHave(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, callback) => callback(null));
  // A second fence behind the CSP: no request leaves for another scheme, whoever wrote the page.
  session.webRequest.onBeforeRequest((details, callback) => callback({ cancel: !mayLoad(details.url) }));
  session.on('will-download', (event) => event.preventDefault());
  // A third one, also for what the policy does not cover: every connection goes to a proxy that is not there.
  void session.setProxy({ proxyRules: '127.0.0.1:9', proxyBypassRules: '<-loopback>' });
}

function mayLoad(url: string): boolean {
  return isConsoleUrl(url) || url.startsWith('data:image/') || url.startsWith('devtools://');
}

/** Every page of this process stays where it is and opens nothing. */
export function lockPages(app: Pick<App, 'on'>): void {
  app.on('web-contents-created', (_event, contents) => {
    const stay = (event: { readonly url: string; preventDefault(): void }) => {
      if (!isConsoleUrl(event.url)) event.preventDefault();
    };
    contents.on('will-navigate', stay);
    contents.on('will-redirect', stay);
    contents.on('will-frame-navigate', (event) => {
      // The console has no frames at all.
      if (!event.isMainFrame || !isConsoleUrl(event.url)) event.preventDefault();
    });
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    // The policy for pages does not cover WebRTC: STUN and TURN go over UDP only where a proxy would carry it.
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
  });
}
