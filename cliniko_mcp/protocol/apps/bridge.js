// Talks with the host that shows this page: JSON-RPC over postMessage, as MCP Apps of 2026-01-26 has it.
// https://apps.extensions.modelcontextprotocol.io/, specification 2026-01-26
const VERSION = "2026-01-26";
const host = { capabilities: {}, context: {}, alone: window.parent === window, on: {} };
const waiting = new Map();
let number = 0;

function post(message) {
  // The host's origin is not known to a page in a sandbox; the frame around it is the host by construction.
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function notify(method, params = {}) {
  post({ method, params });
}

function ask(method, params) {
  const id = ++number;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    post({ id, method, params });
  });
}

/** The answer of a tool as its fields. Throws an Error with the words of a refusal. */
async function callTool(name, args) {
  return fieldsOf(await ask("tools/call", { name, arguments: args }));
}

/** The fields of a tool's result: structured, or as text where the server sends text alone. */
function fieldsOf(result) {
  const text = (result.content || []).filter((part) => part.type === "text").map((part) => part.text).join("\n");
  let fields = result.structuredContent;
  if (!fields) {
    try {
      fields = JSON.parse(text);
    } catch {
      fields = { message: text };
    }
  }
  if (result.isError) throw new Error([fields.message, fields.fix].filter(Boolean).join(" ") || text);
  return fields;
}

/** Put words into the conversation as the person's own. What comes of them is the assistant's matter. */
async function say(text) {
  const result = await ask("ui/message", { role: "user", content: [{ type: "text", text }] });
  if (result && result.isError) throw new Error("The message was not taken.");
}

function hear(event) {
  const message = event.data;
  if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
  if (message.method === undefined) {
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (!asked) return;
    if (message.error) asked.reject(new Error(message.error.message || "The host refused."));
    else asked.resolve(message.result || {});
  } else if (message.id !== undefined) {
    const known = message.method === "ui/resource-teardown" || message.method === "ping";
    if (known) post({ id: message.id, result: {} });
    else post({ id: message.id, error: { code: -32601, message: "This page has no such method." } });
  } else if (message.method === "ui/notifications/host-context-changed") {
    Object.assign(host.context, message.params);
    dress();
  } else {
    const heard = host.on[message.method.replace("ui/notifications/", "")];
    if (heard) heard(message.params || {});
  }
}

/** Look as the host does: light or dark, its letters, and clear of what lies over the edges of a screen. */
function dress() {
  const { theme, styles, safeAreaInsets } = host.context;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const letters = styles && styles.variables && styles.variables["--font-sans"];
  if (letters) document.body.style.fontFamily = letters;
  const { top = 0, right = 0, bottom = 0, left = 0 } = safeAreaInsets || {};
  document.body.style.padding = `${top}px ${right}px ${bottom}px ${left}px`;
}

async function connect(name) {
  window.addEventListener("message", hear);
  const made = await ask("ui/initialize", {
    appInfo: { name, version: "1" },
    appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    protocolVersion: VERSION,
  });
  host.capabilities = made.hostCapabilities || {};
  Object.assign(host.context, made.hostContext);
  dress();
  notify("ui/notifications/initialized");
  let told = "";
  new ResizeObserver(() => {
    const box = document.body.getBoundingClientRect();
    const size = { width: Math.ceil(box.width), height: Math.ceil(box.height) };
    if (told === JSON.stringify(size)) return;
    told = JSON.stringify(size);
    notify("ui/notifications/size-changed", size);
  }).observe(document.body);
}

/** A button that shows the page on the whole screen, where the host can do that. */
function fullScreenButton() {
  const modes = host.context.availableDisplayModes || [];
  if (host.alone || !modes.includes("fullscreen") || host.context.displayMode === "fullscreen") return null;
  const grow = async () => {
    const { mode } = await ask("ui/request-display-mode", { mode: "fullscreen" });
    host.context.displayMode = mode;
    button.hidden = mode === "fullscreen";
  };
  const button = make("button", { type: "button", onclick: () => grow().catch(() => {}) }, "Full screen");
  return button;
}
