// The TypeScript SDK's client, whose person opens addresses: each is written down, and what they say is read.
import { createInterface } from "node:readline";
import { Client, StreamableHTTPClientTransport, UrlElicitationRequiredError } from "@modelcontextprotocol/client";

const [address, token, era, name, given] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const asked = async (led) => {
  console.log(JSON.stringify({ led }));
  return (await lines.next()).value;
};
const older = era === "legacy" ? {} : { versionNegotiation: { mode: { pin: era } } };
const client = new Client(
  { name: "second", version: "1" }, { capabilities: { elicitation: { url: {} } }, ...older });
const over = [];
client.setRequestHandler("elicitation/create", async (request) => ({ action: await asked(request.params) }));
if (era === "legacy") {
  client.setNotificationHandler("notifications/elicitation/complete", ({ params }) => { over.push(params.elicitationId); });
}
// Each request on a connection of its own, so that the next one meets the next replica.
const requestInit = { headers: { authorization: `Bearer ${token}`, connection: "close" } };
await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit }));
const call = async () => JSON.parse((await client.callTool({ name, arguments: JSON.parse(given) })).content[0].text);
let answer;
try {
  answer = await call();
} catch (error) {
  if (!(error instanceof UrlElicitationRequiredError)) throw error;
  const [led] = error.elicitations;
  answer = (await asked({ ...led, required: true })) === "accept" ? await call() : { code: "not opened" };
}
console.log(JSON.stringify({ answer, over }));
await client.close();
process.exit(0);
