// @ts-check
/**
 * A partner system's client for Orgdesk, with nothing but Node's own modules (Node 20 or later).
 *
 *     const client = new Client("https://desk.example.com", "aB3dE6gH9jK2mN5p", { key: "oc_v1_…" });
 *     await client.ask("{ services { nodes { code status } } }");
 *
 * With `key` it gets itself a token, and a new one when that runs out. With `signingSecret` instead it signs each request.
 * Run as a program it adds a service, contracts, suspends and terminates it: `node client.mjs` reads ORGDESK_URL,
 * ORGDESK_ORGANIZATION, ORGDESK_KEY and ORGDESK_SIGNING_SECRET from the environment.
 */

import { createHmac, randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";

const ISSUE = `
mutation PartnerTokenIssue($input: PartnerTokenIssueInput!) {
  partnerTokenIssue(input: $input) { token { accessToken expiresAt scopes } userErrors { code message availableAt } }
}`;

const SERVICES = "query Services { services(first: 100) { totalCount nodes { id code name status version } } }";

const ADD = `
mutation ServiceCreate($input: ServiceCreateInput!) {
  serviceCreate(input: $input) { service { id code version contract { id version } } userErrors { code field message } }
}`;

const CONTRACT = `
mutation ContractSign($id: ID!, $input: ContractSignInput!) {
  contractSign(id: $id, input: $input) { service { status version } userErrors { code field message } }
}`;

const SUSPEND = `
mutation ServiceSuspend($id: ID!, $input: ServiceSuspendInput!) {
  serviceSuspend(id: $id, input: $input) { service { status version } userErrors { code field message } }
}`;

const TERMINATE = `
mutation ServiceTerminate($id: ID!, $input: ServiceTerminateInput!) {
  serviceTerminate(id: $id, input: $input) { service { status version } userErrors { code field message } }
}`;

/** The answer says why; `code` is for programs, and the same in every language. */
export class Refused extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/**
 * Base 64 of the HMAC-SHA256 over organization ID, path, values, body and time.
 * @param {{ secret: string, organization: string, path: string, query: string, body: string, timestamp: string }} parts
 */
export function signature({ secret, organization, path, query, body, timestamp }) {
  const pairs = [...new URLSearchParams(query)];
  pairs.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const joined = pairs.map(([, value]) => value).join("&");
  const values = pairs.length > 0 && body !== "" ? `${joined}&` : joined;
  const text = organization + path + values + body + timestamp;
  return createHmac("sha256", secret).update(text, "utf8").digest("base64");
}

/** Asks one organization's API. */
export class Client {
  /** @param {string} url @param {string} organization @param {{ key?: string, signingSecret?: string }} secrets */
  constructor(url, organization, { key, signingSecret }) {
    this.url = new URL("graphql", url.endsWith("/") ? url : `${url}/`);
    this.organization = organization;
    this.key = key;
    this.signingSecret = signingSecret;
    /** @type {string | undefined} */
    this.token = undefined;
    this.lastTime = 0;
  }

  /** The answer's data; `Refused` where it has errors. @param {string} query @param {object} variables */
  async ask(query, variables = {}) {
    const body = JSON.stringify({ query, variables });
    if (this.signingSecret !== undefined) {
      return this.send(body, this.signed(body));
    }
    this.token ??= await this.issue();
    try {
      return await this.send(body, { authorization: `Bearer ${this.token}` });
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "UNAUTHENTICATED") {
        throw error;
      }
    }
    // The token ran out: one more try with a new one. A key that is dead gets none.
    this.token = await this.issue();
    return this.send(body, { authorization: `Bearer ${this.token}` });
  }

  /** One mutation's payload; `Refused` where it has user errors. @param {string} query @param {object} variables */
  async do(query, variables) {
    const [payload] = Object.values(await this.ask(query, variables));
    return settled(payload);
  }

  /** A new token for the key. */
  async issue() {
    const input = { organization: this.organization, key: this.key };
    const data = await this.send(JSON.stringify({ query: ISSUE, variables: { input } }), {});
    return settled(data.partnerTokenIssue).token.accessToken;
  }

  /** The headers of a signed request. A signature is taken once: each request has a time of its own. @param {string} body */
  signed(body) {
    this.lastTime = Math.max(Date.now(), this.lastTime + 1);
    const timestamp = String(this.lastTime);
    const { secret, organization } = { secret: this.signingSecret ?? "", organization: this.organization };
    const path = this.url.pathname;
    const query = this.url.search.slice(1);
    const authorization = signature({ secret, organization, path, query, body, timestamp });
    return { authorization, "x-tc-timestamp": timestamp, "x-organization-id": organization };
  }

  /** @param {string} body @param {Record<string, string>} headers */
  async send(body, headers) {
    const given = { "content-type": "application/json", accept: "application/json", "accept-language": "en" };
    // Too much at once is 429: `Retry-After` says how many seconds to wait.
    const response = await fetch(this.url, { method: "POST", body, headers: { ...given, ...headers } });
    const answer = await response.json();
    for (const error of answer.errors ?? []) {
      throw new Refused(error.extensions?.code ?? "UNKNOWN", error.message);
    }
    return answer.data;
  }
}

/** @param {any} payload */
function settled(payload) {
  for (const error of payload.userErrors) {
    throw new Refused(error.code, error.message);
  }
  return payload;
}

/**
 * Adds a service, contracts, suspends and terminates it. A retry with the same idempotency key is safe.
 * @param {Client} client @param {string} code
 */
export async function run(client, code) {
  const input = { kind: "CONSULTATION", code, name: `상담 ${code}`, idempotencyKey: randomUUID() };
  const { service } = await client.do(ADD, { input });
  const again = await client.do(ADD, { input });
  if (again.service.id !== service.id) {
    throw new Error("a retry made another service");
  }
  const items = [{ code: "TICKET", userCount: 3 }];
  const signing = { expectedVersion: service.contract.version, items };
  const signed = (await client.do(CONTRACT, { id: service.contract.id, input: signing })).service;
  const suspending = { expectedVersion: signed.version, acknowledgeCharges: true };
  const suspended = (await client.do(SUSPEND, { id: service.id, input: suspending })).service;
  const ended = (await client.do(TERMINATE, { id: service.id, input: { expectedVersion: suspended.version } })).service;
  return [signed.status, suspended.status, ended.status];
}

async function main() {
  const { ORGDESK_URL = "", ORGDESK_ORGANIZATION = "", ORGDESK_KEY, ORGDESK_SIGNING_SECRET } = process.env;
  const byToken = new Client(ORGDESK_URL, ORGDESK_ORGANIZATION, { key: ORGDESK_KEY });
  const bySignature = new Client(ORGDESK_URL, ORGDESK_ORGANIZATION, { signingSecret: ORGDESK_SIGNING_SECRET });
  for (const [by, client, code] of /** @type {const} */ ([
    ["token", byToken, "viatoken"],
    ["signature", bySignature, "viasignature"],
  ])) {
    const states = await run(client, code);
    const left = (await client.ask(SERVICES)).services.totalCount;
    console.log(JSON.stringify({ by, states, left }));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await main();
}
