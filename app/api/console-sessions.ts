/**
 * Who is signed in to the loopback console. Cookies do not know ports, so a browser may send ours to the server of another
 * user of this machine: a session wants a second key, which only the page's own origin can read, and it is good for the
 * account alone that signed in.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../domain/access.ts';

/** A session ends after a working day, or when its page has been closed for this long. */
const livesMs = 12 * 3_600_000;
const restsMs = 3_600_000;
/** Of one account at a time; the oldest gives way. */
const sessionsMax = 32;
const addressesMax = 32;
/** Wrong log-in attempts of one account within a minute before it is not listened to for the rest of it. */
const triesPerMinute = 20;

/** Whom an address lets in. */
export interface Holder {
  /** The only account in whose browser it works; null: whoever comes first. */
  readonly account: string | null;
  /** That account, for people. */
  readonly user: string;
  /** What they may do now; null when they have lost their role, or this process can no longer say. */
  readonly role: () => Role | null;
}

interface Address {
  readonly holder: Holder;
  readonly endsAt: number;
}

interface Session {
  readonly key: string;
  readonly account: string | null;
  readonly holder: Holder;
  readonly bornAt: number;
  seenAt: number;
}

export type Login =
  | { readonly kind: 'in'; readonly cookie: string; readonly key: string }
  | { readonly kind: 'wrong' | 'too-many' }
  | { readonly kind: 'of-another'; readonly user: string };

const secret = (): string => randomBytes(32).toString('base64url');

export class ConsoleSessions {
  readonly #now: () => number;
  readonly #addresses = new Map<string, Address>();
  readonly #sessions = new Map<string, Session>();
  readonly #tries = new Map<string | null, { readonly minute: number; count: number }>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Good for one log-in of `holder`, within this time. */
  oneTimeToken(holder: Holder, forMs: number): string {
    const token = secret();
    for (const [old, { endsAt }] of this.#addresses) if (endsAt < this.#now()) this.#addresses.delete(old);
    makeRoom(this.#addresses, ({ holder: { account } }) => account === holder.account, addressesMax);
    this.#addresses.set(token, { holder, endsAt: this.#now() + forMs });
    return token;
  }

  /** True until somebody has come in with it, or its time is over. */
  isWaiting(given: string): boolean {
    return (this.#addressOf(given)?.[1].endsAt ?? 0) >= this.#now();
  }

  /** `account` is whose browser it is; null when the system does not tell. An address stays good after a wrong account. */
  login(given: string, account: string | null): Login {
    const minute = Math.floor(this.#now() / 60_000);
    const known = this.#tries.get(account);
    const tries = known?.minute === minute ? known : { minute, count: 0 };
    if (tries.count >= triesPerMinute) return { kind: 'too-many' };
    const [token, address] = this.#addressOf(given) ?? [];
    const refused = (login: Login): Login => {
      tries.count += 1;
      if (this.#tries.size > 1_000) this.#tries.clear();
      this.#tries.set(account, tries);
      return login;
    };
    if (token === undefined || address === undefined) return refused({ kind: 'wrong' });
    const { holder, endsAt } = address;
    if (holder.account !== null && holder.account !== account)
      return refused({ kind: 'of-another', user: holder.user });
    this.#addresses.delete(token);
    if (endsAt < this.#now()) return refused({ kind: 'wrong' });
    const [cookie, key] = [secret(), secret()];
    makeRoom(this.#sessions, (session) => session.account === account, sessionsMax);
    this.#sessions.set(cookie, { key, account, holder, bornAt: this.#now(), seenAt: this.#now() });
    return { kind: 'in', cookie, key };
  }

  /** True for a cookie of a session that has not ended, from the account that signed in. Enough for the page's files. */
  knows(cookies: readonly string[], account: string | null): boolean {
    return this.#find(cookies, account) !== null;
  }

  /** As `knows`, with the page's own key: for everything else. Null when it is no session. */
  holder(cookies: readonly string[], key: string, account: string | null): Holder | null {
    const session = this.#find(cookies, account);
    return session !== null && same(session.key, key) ? session.holder : null;
  }

  #addressOf(given: string): [string, Address] | undefined {
    return [...this.#addresses].find(([token]) => same(token, given));
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

/** Drops the oldest of those that `counts`, so that one more makes no more than `max`. */
function makeRoom<T>(all: Map<string, T>, counts: (one: T) => boolean, max: number): void {
  const counted = [...all].filter(([, one]) => counts(one));
  for (const [id] of counted.slice(0, Math.max(0, counted.length - max + 1))) all.delete(id);
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
