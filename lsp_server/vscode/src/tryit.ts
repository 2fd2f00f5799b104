/** Opens the example draft, which the example voice inside the extension judges. */
import * as vscode from "vscode";

import { unpackExample } from "./carried.ts";
import type { Server } from "./client.ts";
import { install } from "./install.ts";

/** Show the example's draft; where there is no server yet, offer to install it first. */
export async function tryIt(context: vscode.ExtensionContext, server: Server): Promise<void> {
  const folder = vscode.Uri.joinPath(context.globalStorageUri, "example");
  const draft = await unpackExample(context.extensionPath, folder.fsPath);
  const document = await vscode.workspace.openTextDocument(draft);
  await vscode.window.showTextDocument(document, { preview: false });
  await server.settled;
  if (server.state.kind === "missing") await install(context, server);
}
