// A CodeMirror editor without a browser, which a test drives by lines of JSON: see
// test_codemirror.py. Lies beside onbrand.mjs and stdio.mjs of examples/editors when it runs.
import { createInterface } from "node:readline";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html>", { pretendToBeVisual: true });
const bound = ["getSelection", "requestAnimationFrame", "cancelAnimationFrame"];
Object.assign(globalThis, { window, Window: window.Window, document: window.document });
for (const name of ["MutationObserver", "Node", "Element", "HTMLElement", "Range", "Event"]) {
  globalThis[name] = window[name];
}
for (const name of bound) globalThis[name] = window[name].bind(window);

const { EditorView } = await import("@codemirror/view");
const { EditorState } = await import("@codemirror/state");
const { forEachDiagnostic } = await import("@codemirror/lint");
const { LSPPlugin } = await import("@codemirror/lsp-client");
const { connectOnbrand } = await import("./onbrand.mjs");
const { startOnbrand } = await import("./stdio.mjs");

const transport = startOnbrand();
// What the client sends is what it does, whatever it declares.
const sent = [];
const watched = {
  ...transport,
  send: (message) => {
    sent.push(JSON.parse(message).method);
    transport.send(message);
  },
};
let client;
let view;

const does = {
  async open({ root, uri, language, text }) {
    client = connectOnbrand(watched, root);
    await client.initializing;
    const extensions = [client.plugin(uri, language)];
    view = new EditorView({ state: EditorState.create({ doc: text, extensions }) });
    document.body.append(view.dom);
  },
  replace({ text }) {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  },
  append({ text }) {
    view.dispatch({ changes: { from: view.state.doc.length, insert: text } });
  },
  underlined() {
    const found = [];
    forEachDiagnostic(view.state, ({ message }, from, to) =>
      found.push({ words: view.state.sliceDoc(from, to), message }),
    );
    return found;
  },
  async hover({ words }) {
    const plugin = LSPPlugin.get(view);
    const offset = view.state.doc.toString().indexOf(words);
    client.sync();
    return await client.request("textDocument/hover", {
      textDocument: { uri: plugin.uri },
      position: plugin.toPosition(offset),
    });
  },
  sent: () => sent,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { what, ...given } = JSON.parse(line);
  try {
    const answer = await does[what](given);
    console.log(JSON.stringify({ answer: answer ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
view?.destroy();
client?.disconnect();
transport.stop();
window.close();
