// CodeMirror 6 with @codemirror/lsp-client: the underlines of `onbrand lsp` in an editor of yours.
import { LSPClient, hoverTooltips, serverDiagnostics } from "@codemirror/lsp-client";

/**
 * Connect to a server. Give each editor `client.plugin("file:///folder/draft.md", "markdown")`
 * among its extensions.
 *
 * transport: what carries messages: { send(text), subscribe(handler), unsubscribe(handler) }. In a
 *   browser a WebSocket to a process of yours that passes them on to `onbrand lsp`; in Node and
 *   Electron `stdio.mjs`.
 * rootUri: the folder that has onbrand.toml, say "file:///folder".
 * settings: the section "onbrand", for what no onbrand.toml says.
 */
export function connectOnbrand(transport, rootUri, settings = {}) {
  const client = new LSPClient({
    rootUri,
    initializationOptions: { settings },
    extensions: [serverDiagnostics(), hoverTooltips()],
  });
  return client.connect(transport);
}
