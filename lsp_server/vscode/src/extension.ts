/** Wires the parts together. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";

import { Server } from "./client.ts";
import { registerCommands } from "./commands.ts";
import { Drafts } from "./drafts.ts";
import { current, sweep } from "./environment.ts";
import { carriedServer } from "./carried.ts";
import { candidates, findServer, type Found, type Search } from "./find.ts";
import { environmentsFolder, offer } from "./install.ts";
import { Command } from "./names.ts";
import { Panel } from "./panel.ts";
import { run } from "./process.ts";
import type { Status } from "./protocol.ts";
import { onDidSelectInterpreter, selectedInterpreter } from "./python.ts";
import { present } from "./results.ts";
import { serverPath, startedWith } from "./settings.ts";
import { StatusItem } from "./status.ts";
import { WordMarks } from "./wordmarks.ts";

/** What other extensions, and the tests, get from `activate`. */
export interface Api {
  /** Settled when the server runs, or is known not to. */
  readonly ready: Promise<void>;
  /** What the server last said of a draft. */
  readonly status: (uri: vscode.Uri) => Status | undefined;
  /** The server that runs. */
  readonly found: () => Found | undefined;
  readonly client: () => LanguageClient | undefined;
}

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const output = vscode.window.createOutputChannel("onbrand", { log: true });
  const started = (server = new Server(output, () => locate(context)));
  const drafts = new Drafts(started);
  started.present = (command, argument, result) =>
    present(drafts, command, argument as never, result);

  const restart = () => started.restart();
  started.onDidChangeState((state) => {
    if (state.kind === "failed") void tellFailure(state.message);
  });
  let settings = startedWith();
  context.subscriptions.push(
    output,
    started,
    drafts,
    new StatusItem(started, drafts),
    new Panel(started, drafts, output),
    new WordMarks(),
    registerCommands({ context, server: started, drafts, output }),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration(() => {
      if (startedWith() === settings) return;
      settings = startedWith();
      void restart();
    }),
  );
  void onDidSelectInterpreter(() => {
    const origin = started.search.found?.origin;
    // A server from a setting or from PATH does not depend on it.
    if (origin === undefined || origin === "the Python extension") void restart();
  }).then((subscription) => context.subscriptions.push(subscription));

  const ready = started.restart().then(() => {
    if (started.state.kind === "missing") void offer(context, started);
    void sweep(environmentsFolder(context));
  });
  return {
    ready,
    status: (uri) => drafts.status(uri),
    found: () => started.search.found,
    client: () => started.client,
  };
}

/** VS Code waits for the server to end. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}

async function tellFailure(reason: string): Promise<void> {
  const [again, log] = ["Restart", "Show the Log"];
  const text = `onbrand does not run: ${reason}.`;
  const chosen = await vscode.window.showErrorMessage(text, again, log);
  if (chosen === again) await vscode.commands.executeCommand(Command.restart);
  if (chosen === log) await vscode.commands.executeCommand(Command.showLog);
}

async function locate(context: vscode.ExtensionContext): Promise<Search> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  const places = {
    setting: serverPath(),
    carried: await carriedServer(context.extensionPath),
    folder: folder?.uri.fsPath,
    interpreter: await selectedInterpreter(folder?.uri),
    path: process.env.PATH ?? "",
    private: (await current(environmentsFolder(context)))?.python,
  };
  return findServer(candidates(places), run);
}
