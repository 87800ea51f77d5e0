/**
 * Who is signed in to the loopback console. Cookies do not know ports, so a browser may send ours to the server of another
 * user of this machine: a session wants a second key, which only the page's own origin can read, and it is good for the
 * account alone that signed in.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

const oneTimeLivesMs = 600_000;
/** A session ends after a working day, or when its page has been closed for this long. */
const livesMs = 12 * 3_600_000;
const restsMs = 3_600_000;
const sessionsMax = 32;
/** Wrong log-in attempts of one account within a minute before it is not listened to for the rest of it. */
const triesPerMinute = 20;

interface Session {
  readonly key: string;
  readonly account: string | null;
  readonly bornAt: number;
  seenAt: number;
}

export type Login =
  { readonly kind: 'in'; readonly cookie: string; readonly key: string } | { readonly kind: 'wrong' | 'too-many' };

const secret = (): string => randomBytes(32).toString('base64url');

export class ConsoleSessions {
  readonly #now: () => number;
  readonly #oneTime = new Map<string, number>();
  readonly #sessions = new Map<string, Session>();
  readonly #tries = new Map<string | null, { readonly minute: number; count: number }>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Good for one log-in, within ten minutes. */
  oneTimeToken(): string {
    const token = secret();
    this.#oneTime.set(token, this.#now());
    return token;
  }

  /** `account` is whose browser it is; null when the system does not tell. */
  login(given: string, account: string | null): Login {
    const minute = Math.floor(this.#now() / 60_000);
    const known = this.#tries.get(account);
    const tries = known?.minute === minute ? known : { minute, count: 0 };
    if (tries.count >= triesPerMinute) return { kind: 'too-many' };
    const born = [...this.#oneTime].find(([token]) => same(token, given))?.[1];
    this.#oneTime.delete(given);
    if (born === undefined || this.#now() - born > oneTimeLivesMs) {
      tries.count += 1;
      if (this.#tries.size > 1_000) this.#tries.clear();
      this.#tries.set(account, tries);
      return { kind: 'wrong' };
    }
    const [cookie, key] = [secret(), secret()];
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= sessionsMax && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(cookie, { key, account, bornAt: this.#now(), seenAt: this.#now() });
    return { kind: 'in', cookie, key };
  }

  /** True for a cookie of a session that has not ended, from the account that signed in. Enough for the page's files. */
  knows(cookies: readonly string[], account: string | null): boolean {
    return this.#find(cookies, account) !== null;
  }

  /** As `knows`, with the page's own key: for everything else. */
  isIn(cookies: readonly string[], key: string, account: string | null): boolean {
    const session = this.#find(cookies, account);
    return session !== null && same(session.key, key);
  }

  #find(cookies: readonly string[], account: string | null): Session | null {
    const now = this.#now();
    for (const [id, session] of this.#sessions) {
      if (now - session.bornAt > livesMs || now - session.seenAt > restsMs) {
        this.#sessions.delete(id);
        continue;
      }
      if (session.account !== account || !cookies.some((cookie) => same(cookie, id))) continue;
      session.seenAt = now;
      return session;
    }
    return null;
  }
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
