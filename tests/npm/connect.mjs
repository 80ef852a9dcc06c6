// The TypeScript SDK's client, from an address alone to calls, with a person who pastes a key on our pages.
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

const [address, key, era] = process.argv.slice(2);
const callback = "http://127.0.0.1:33419/callback";
const origin = new URL(address).origin;
const kept = { logins: 0, may: "cliniko:read" };

const send = async (page, fields) => {
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const headers = { origin, cookie: page.cookie, "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams({ csrf, ...fields });
  const answer = await fetch(page.url, { method: "POST", headers, body, redirect: "manual" });
  const next = answer.status === 303 ? await fetch(answer.headers.get("location"), { headers }) : answer;
  return { ...page, text: await next.text() };
};

const provider = {
  redirectUrl: callback,
  clientMetadata: { redirect_uris: [callback], client_name: "a test", token_endpoint_auth_method: "none" },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (state) => { kept.discovery = state; },
  discoveryState: () => kept.discovery,
  redirectToAuthorization: async (url) => {
    kept.logins += 1;
    const opened = await fetch(url);
    let page = { url: opened.url, text: await opened.text(), cookie: opened.headers.get("set-cookie").split(";")[0] };
    page = await send(page, { step: "key", key, may: kept.may });
    page = await send(page, { step: "yes" });
    const where = /http-equiv=refresh content="0;url=([^"]+)"/.exec(page.text)[1].replaceAll("&amp;", "&");
    kept.back = new URL(where).searchParams;
  },
};

const options = era === "legacy" ? {} : { versionNegotiation: { mode: { pin: era } } };
const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transport.finishAuth(kept.back);
    return await work();
  }
};
let client, transport;
const connect = async () => {
  client = new Client({ name: "second", version: "1" }, options);
  transport = new StreamableHTTPClientTransport(new URL(address), { authProvider: provider });
  await client.connect(transport);
};
try {
  await connect();
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(kept.back);
  await connect();
}
const narrow = (await client.listTools()).tools.map((tool) => tool.name);
const call = async (name, given) => (await client.callTool({ name, arguments: given })).structuredContent;
const who = await attempt(() => call("cliniko_read", { operation: "get_authenticated_user", arguments: {} }));
kept.may = "cliniko:write";
const made = await attempt(() => call("cliniko_write", {
  operation: "create_patient", arguments: { first_name: "Type", last_name: `Script ${era}` } }));
const before = kept.tokens;
kept.tokens = { ...before, access_token: "cma_gone" };
await attempt(() => call("cliniko_describe", { query: "archive a patient" }));
const refreshed = kept.tokens.access_token !== "cma_gone";
const logins = kept.logins;
const revoked = await fetch(`${origin}/revoke`, {
  method: "POST", body: new URLSearchParams({ token: kept.tokens.refresh_token, client_id: kept.client.client_id }) });
const after = await fetch(address, {
  method: "POST", headers: { authorization: `Bearer ${kept.tokens.access_token}` }, body: "{}" });
console.log(JSON.stringify({ narrow, who, made, refreshed, logins, revoked: revoked.status, after: after.status }));
await client.close();
