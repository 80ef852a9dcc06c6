// The TypeScript SDK's client at an issuer, a line of JSON each way. It is told {name, arguments} of a call, or nothing
// for the list of tools, and writes {answer} or {failed}. Before that it may write where its person is sent, {login} or
// {led}, and reads what came of it: the address's query that they came back with, "" for nothing, or what they say.
import { createInterface } from "node:readline";
import {
  Client, StreamableHTTPClientTransport, UnauthorizedError, UrlElicitationRequiredError,
} from "@modelcontextprotocol/client";

const [address, callback, era, opens] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value ?? process.exit(0));
const write = (told) => console.log(JSON.stringify(told));
const asked = async (told) => (write(told), read());
const kept = {};

const authProvider = {
  redirectUrl: callback,
  clientMetadata: {
    redirect_uris: [callback], client_name: "a test", token_endpoint_auth_method: "none", application_type: "native",
    grant_types: ["authorization_code", "refresh_token"],
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; write({ given: tokens, client: kept.client }); },
  invalidateCredentials: (what) => { delete kept[what]; }, // tokens, client, verifier or discovery
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  discoveryState: () => kept.discovery,
  saveDiscoveryState: (state) => { kept.discovery = state; },
  redirectToAuthorization: async (url) => { kept.back = await asked({ login: url.href }); },
};
const capabilities = opens ? { elicitation: { url: {} } } : {};
const older = era === "legacy" ? {} : { versionNegotiation: { mode: { pin: era } } };
let client, transport;
const connect = async () => {
  client = new Client({ name: "second", version: "1" }, { capabilities, ...older });
  if (opens) client.setRequestHandler("elicitation/create", async ({ params }) => ({ action: await asked({ led: params.url }) }));
  transport = new StreamableHTTPClientTransport(new URL(address), { authProvider });
  await client.connect(transport);
};
// What needs a login is done once more after it.
const logged = async (work) => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || !kept.back) throw error;
    const back = new URLSearchParams(kept.back);
    kept.back = "";
    await transport.finishAuth(back);
    return work();
  }
};
const call = async (given) => JSON.parse((await client.callTool(given)).content[0].text);
const done = async (given) => {
  if (!given.name) return (await client.listTools()).tools.map((tool) => tool.name);
  try {
    return await call(given);
  } catch (error) {
    if (!(error instanceof UrlElicitationRequiredError)) throw error;
    return (await asked({ led: error.elicitations[0].url })) === "accept" ? call(given) : { code: "not opened" };
  }
};
await logged(connect);
for (write({ answer: "connected" }); ;) {
  const given = await read();
  await logged(() => done(given)).then((answer) => write({ answer }), (error) => write({ failed: String(error) }));
}
