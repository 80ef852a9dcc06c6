// Opens pages of the server in a host: a client of the server in node, the reference bridge in a browser. Reads a
// command a line as JSON, and answers each with a line of JSON: {"value": ...} or {"error": "..."}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { chromium } from "playwright-core";
import esbuild from "esbuild";

const [browserPath, ...server] = process.argv.slice(2);
const here = new URL(".", import.meta.url).pathname;
const built = await esbuild.build({ entryPoints: [`${here}app_host.js`], bundle: true, write: false, format: "iife" });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const client = new Client({ name: "a host", version: "1" }, {
  capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } } },
});
await client.connect(new StdioClientTransport({ command: server[0], args: server.slice(1), env: process.env }));
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const tab = await (await browser.newContext({ timezoneId: "America/New_York", locale: "de-DE" })).newPage();
const complaints = [];
tab.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
tab.on("pageerror", (problem) => complaints.push(String(problem)));
tab.on("request", (request) => /^https?:/.test(request.url()) && complaints.push(`asked for ${request.url()}`));
await tab.setContent("<!doctype html><html lang=en><title>host</title><style>body { margin: 0 } "
  + "iframe { border: 0; width: 100%; height: 600px; display: block }</style><body></body>");
await tab.exposeFunction("callServer", ({ name, arguments: args }) => client.callTool({ name, arguments: args }));
await tab.addScriptTag({ content: built.outputFiles[0].text });

const app = () => tab.frames().find((frame) => frame !== tab.mainFrame());
const commands = {
  async tools() {
    return (await client.listTools()).tools;
  },
  async resources() {
    return (await client.listResources()).resources;
  },
  async read({ uri }) {
    return (await client.readResource({ uri })).contents[0];
  },
  async call({ tool, args }) {
    return client.callTool({ name: tool, arguments: args });
  },
  async open({ tool, args, context = {}, capabilities = { serverTools: {}, message: { text: {} } }, result = null }) {
    const { tools } = await client.listTools();
    const uri = tools.find((one) => one.name === tool)._meta.ui.resourceUri;
    const { text: html } = (await client.readResource({ uri })).contents[0];
    const answer = result || (await client.callTool({ name: tool, arguments: args }));
    await tab.evaluate((given) => window.openApp(given), { html, context, capabilities, args, result: answer });
    return null;
  },
  async size({ width, height = 900 }) {
    await tab.setViewportSize({ width, height });
  },
  async media(given) {
    await tab.emulateMedia(given);
  },
  async click({ on }) {
    await app().locator(on).first().click({ timeout: 20000 });
  },
  async choose({ on, value }) {
    await app().locator(on).first().selectOption(value);
  },
  async press({ key }) {
    await tab.keyboard.press(key);
  },
  async until({ code }) {
    // Playwright's own waiting needs eval, which the policy of the page forbids.
    for (let tries = 0; tries < 1200; tries += 1) {
      if (await app().evaluate(`Boolean(${code})`)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never came true: ${code}; the page says: ${await app().evaluate("document.body.innerText")}`);
  },
  async script({ code }) {
    return app().evaluate(code);
  },
  async outside({ code }) {
    return tab.evaluate(code);
  },
  async told() {
    return { ...(await tab.evaluate(() => window.told)), complaints };
  },
  async axe() {
    if (!(await app().evaluate(() => Boolean(window.axe)))) await app().addScriptTag({ content: axe });
    const found = await app().evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3).join(" | ")}`);
  },
  async picture({ path }) {
    await tab.locator("#app").screenshot({ path });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[name](given)) ?? null };
  } catch (problem) {
    answer = { error: String(problem && problem.message ? problem.message : problem) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
await client.close();
