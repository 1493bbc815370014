// The session of this browser tab: sign in, keep the tokens fresh, sign out. Tokens live in sessionStorage only.

const KEPT_AS = "orgdesk:session";
/** The longest time before its end that an access token is renewed, in milliseconds. */
const RENEW_AHEAD = 60_000;
/** The shortest wait before a renewal, in milliseconds: a wrong clock must not make a storm of them. */
const SHORTEST_WAIT = 5_000;
/** The wait after a renewal that the server could not answer, in milliseconds. */
const RETRY_WAIT = 30_000;
/** The longest time that a browser's timer can wait, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

const TOKENS = "tokens { accessToken accessTokenExpiresAt refreshToken }";
const START = `mutation SignIn($input: SessionStartInput!) {
  sessionStart(input: $input) { ${TOKENS} userErrors { code message } }
}`;
const WHO = "query WhoIsSignedIn { viewer { member { name } organizationName } }";
const REFRESH = `mutation KeepSignedIn($input: SessionRefreshInput!) {
  sessionRefresh(input: $input) { ${TOKENS} userErrors { message } }
}`;
const END = "mutation SignOut { sessionEnd { userErrors { message } } }";

/** What the server says to the person, in the person's language. `isFinal`: the same again would be refused again. */
export class Refused extends Error {
  constructor(errors, isFinal) {
    super(errors.map((error) => error.message).join(" "));
    this.isFinal = isFinal;
    this.codes = errors.map((error) => error.code);
  }
}

/** Sends one GraphQL request; answers the HTTP answer, whatever its status. */
function post(request, headers) {
  return fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json", ...headers },
    body: JSON.stringify(request),
    credentials: "omit",
    cache: "no-store",
  });
}

/** Runs one of the mutations above; answers its payload and the server's clock. */
async function run(query, field, input, headers) {
  const answer = await post({ query, variables: { input } }, headers);
  const body = await answer.json();
  if (body.errors?.length) throw new Refused(body.errors, false);
  const payload = body.data[field];
  if (payload.userErrors.length) throw new Refused(payload.userErrors, true);
  return { payload, now: Date.parse(answer.headers.get("date")) || Date.now() };
}

/** Opens a socket for one operation of graphql-transport-ws, and tells `reader` what comes of it. */
function openSocket(request, authorization, reader) {
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address, "graphql-transport-ws");
  const say = (message) => socket.send(JSON.stringify(message));
  socket.addEventListener("open", () => say({ type: "connection_init", payload: { authorization } }));
  socket.addEventListener("close", ({ reason, code }) => reader.error(reason || `The connection was closed (${code}).`));
  socket.addEventListener("message", ({ data }) => {
    const { type, payload } = JSON.parse(data);
    if (type === "connection_ack") say({ type: "subscribe", id: "1", payload: request });
    else if (type === "next") reader.next(payload);
    else if (type === "error") {
      reader.next({ errors: payload });
      reader.complete();
    } else if (type === "complete") reader.complete();
    else if (type === "ping") say({ type: "pong" });
  });
  return socket;
}

/** New tokens for a refresh token, as `run` answers. */
function refreshed(refreshToken) {
  return run(REFRESH, "sessionRefresh", { refreshToken });
}

/** What is kept of the tokens. The time left is counted by the server's clock, so that a wrong one here does no harm. */
function keptTokens(tokens, now) {
  const left = Date.parse(tokens.accessTokenExpiresAt) - now;
  const wait = Math.max(SHORTEST_WAIT, left - Math.min(RENEW_AHEAD, left / 4));
  return { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, renewAt: Date.now() + wait };
}

function readKept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS));
  } catch {
    return null;
  }
}

export class Session {
  #kept = readKept();
  #timer;
  #renewal = null;
  #changed;

  /** `changed(ended)` is called after each sign-in and sign-out; `ended` is true when the server ended the session. */
  constructor(changed) {
    this.#changed = changed;
    this.#plan();
  }

  /** Who is signed in, as `{ member, organization }`; null when nobody is. */
  get who() {
    return this.#kept?.who ?? null;
  }

  /** `code` is that of the second factor, where the member has one; else undefined. */
  async start(organization, login, password, code) {
    const { payload, now } = await run(START, "sessionStart", { organization, login, password, code });
    const tokens = keptTokens(payload.tokens, now);
    const answer = await post({ query: WHO }, { authorization: `Bearer ${tokens.accessToken}` });
    const { viewer } = (await answer.json()).data;
    this.#keep({ ...tokens, who: { member: viewer.member.name, organization: viewer.organizationName } });
    this.#changed(false);
  }

  /** Signs out here at once and tells the server; a server that cannot be reached lets the session run out. */
  async end() {
    const { accessToken, refreshToken, renewAt } = this.#kept;
    this.#keep(null);
    this.#changed(false);
    // An access token that may have expired would have the request refused.
    const token = Date.now() < renewAt ? accessToken : (await refreshed(refreshToken)).payload.tokens.accessToken;
    await run(END, "sessionEnd", undefined, { authorization: `Bearer ${token}` });
  }

  /** Sends a request of the editor as the signed-in member. Headers that the person wrote come first. */
  async send(request, written = {}) {
    const headers = Object.fromEntries(Object.entries(written).map(([name, value]) => [name.toLowerCase(), value]));
    if (!this.#kept || "authorization" in headers) return post(request, headers);
    if (Date.now() >= this.#kept.renewAt) await this.#renew();
    const answer = await post(request, { ...headers, ...this.#authorization() });
    // 401: the token was refused and nothing was executed, so sending it again is safe.
    if (answer.status !== 401 || !(await this.#renew())) return answer;
    return post(request, { ...headers, ...this.#authorization() });
  }

  /**
   * Follows a subscription of the editor as the signed-in member, over a socket of its own: answers what the editor
   * subscribes to, as `{ subscribe({ next, error, complete }) }`.
   */
  follow(request, written = {}) {
    const subscribe = (reader) => {
      let isOver = false;
      let socket = null;
      const end = (tell) => {
        if (isOver) return;
        isOver = true;
        socket?.close(1000);
        tell?.();
      };
      this.#token(written).then((authorization) => {
        if (isOver) return;
        socket = openSocket(request, authorization, {
          next: (payload) => !isOver && reader.next(payload),
          complete: () => end(() => reader.complete()),
          error: (reason) => end(() => reader.error(reason)),
        });
      });
      return { unsubscribe: () => end() };
    };
    return { subscribe };
  }

  /** What the person wrote as `Authorization`, else that of the session, renewed where it is time. */
  async #token(written) {
    const own = Object.entries(written).find(([name]) => name.toLowerCase() === "authorization");
    if (own) return own[1];
    if (this.#kept && Date.now() >= this.#kept.renewAt) await this.#renew();
    return this.#authorization().authorization;
  }

  #authorization() {
    return this.#kept ? { authorization: `Bearer ${this.#kept.accessToken}` } : {};
  }

  #keep(kept) {
    this.#kept = kept;
    if (kept) sessionStorage.setItem(KEPT_AS, JSON.stringify(kept));
    else sessionStorage.removeItem(KEPT_AS);
    this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    if (!this.#kept) return;
    const wait = Math.max(SHORTEST_WAIT, this.#kept.renewAt - Date.now());
    const next = wait > LONGEST_TIMER ? () => this.#plan() : () => this.#renew();
    this.#timer = setTimeout(next, Math.min(wait, LONGEST_TIMER));
  }

  /** Renews the tokens, once however many ask; true when there are new ones. */
  #renew() {
    this.#renewal ??= this.#renewOnce().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renewOnce() {
    const before = this.#kept;
    if (!before) return false;
    try {
      const { payload, now } = await refreshed(before.refreshToken);
      if (this.#kept !== before) return false;
      this.#keep({ ...before, ...keptTokens(payload.tokens, now) });
      return true;
    } catch (error) {
      if (this.#kept !== before) return false;
      const isOver = error instanceof Refused && error.isFinal;
      this.#keep(isOver ? null : { ...before, renewAt: Date.now() + RETRY_WAIT });
      if (isOver) this.#changed(true);
      return false;
    }
  }
}
