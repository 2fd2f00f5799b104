// Starts `onbrand lsp` and carries the messages of @codemirror/lsp-client, in Node or Electron.
import { spawn } from "node:child_process";

export function startOnbrand(command = ["onbrand", "lsp"]) {
  const server = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  const handlers = new Set();
  let received = Buffer.alloc(0);
  server.stdout.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const head = received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(received.toString("latin1", 0, head))[1]);
      if (received.length < head + 4 + length) return;
      const message = received.toString("utf8", head + 4, head + 4 + length);
      received = received.subarray(head + 4 + length);
      for (const handler of handlers) handler(message);
    }
  });
  return {
    send(message) {
      if (!server.stdin.writable) return; // stopped
      server.stdin.write(`Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`);
    },
    subscribe: (handler) => handlers.add(handler),
    unsubscribe: (handler) => handlers.delete(handler),
    stop: () => server.stdin.end(), // the server leaves with its client
  };
}
