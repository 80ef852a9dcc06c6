// The host's side of a page, in the browser: the reference bridge around a frame in a sandbox.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'none'";

window.told = { messages: [], sizes: [], calls: [], modes: [] };

window.openApp = async ({ html, context, capabilities, args, result }) => {
  Object.assign(window.told, { messages: [], sizes: [], calls: [], modes: [] });
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.id = "app";
  document.body.replaceChildren(frame);
  const bridge = new AppBridge(null, { name: "a host", version: "1" }, capabilities, { hostContext: context });
  window.bridge = bridge;
  bridge.onsizechange = (size) => {
    window.told.sizes.push(size);
    frame.style.height = `${size.height}px`;
  };
  bridge.onmessage = async (message) => {
    window.told.messages.push(message);
    return {};
  };
  bridge.oncalltool = async (call) => {
    window.told.calls.push(call);
    return window.callServer(call);
  };
  bridge.onrequestdisplaymode = async ({ mode }) => {
    window.told.modes.push(mode);
    return { mode };
  };
  const ready = new Promise((resolve) => {
    bridge.oninitialized = resolve;
  });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${POLICY}">`);
  await ready;
  await bridge.sendToolInput({ arguments: args });
  if (result) await bridge.sendToolResult(result);
};
