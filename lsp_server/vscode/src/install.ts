/** Installs the server into an environment of its own, when the user agrees to it. */
import * as vscode from "vscode";

import { carriedServer } from "./carried.ts";
import type { Server } from "./client.ts";
import {
  create,
  current,
  findPython,
  requirement,
  type Environment,
  type Wanted,
} from "./environment.ts";
import { message } from "./find.ts";
import { Command } from "./names.ts";
import { run } from "./process.ts";
import { selectedInterpreter } from "./python.ts";
import { serverPackage } from "./settings.ts";

/** Measured for onbrand 0.1 on Linux: what pip fetches, and what lies on the disk afterwards. */
const SIZE = "about 135 MB to download, 490 MB on disk";
const NEVER = "onbrand.neverOfferInstall";

export const environmentsFolder = (context: vscode.ExtensionContext): string =>
  vscode.Uri.joinPath(context.globalStorageUri, "server").fsPath;

/** Ask once whether to set up the server; a message, as nobody has asked for anything yet. */
export async function offer(context: vscode.ExtensionContext, server: Server): Promise<void> {
  if (context.globalState.get(NEVER)) return;
  const [install, choose, never] = ["Install…", "Choose a Program…", "Don't Ask Again"];
  const chosen = await vscode.window.showInformationMessage(
    missing(server, await current(environmentsFolder(context))),
    install,
    choose,
    never,
  );
  if (chosen === install) await vscode.commands.executeCommand(Command.install);
  if (chosen === choose) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "onbrand.server.path");
  }
  if (chosen === never) await context.globalState.update(NEVER, true);
}

function missing(server: Server, old: Environment | undefined): string {
  const set = server.search.rejected.find(({ origin }) => origin.startsWith("the setting"));
  if (set)
    return `onbrand cannot use ${set.command}, which onbrand.server.path names: ${set.reason}.`;
  if (old) return `This version of the extension needs a newer onbrand server than ${old.version}.`;
  return "onbrand underlines sentences that do not sound like your brand. It needs a server on this machine, which was not found.";
}

/** Install or update the server, after a modal that says what will be done; then start it. */
export async function install(context: vscode.ExtensionContext, server: Server): Promise<void> {
  if (!serverPackage() && (await carriedServer(context.extensionPath))) {
    void vscode.window.showInformationMessage(
      "This build of the extension has its server inside; it is updated with the extension.",
    );
    return;
  }
  const python = await findPython(
    await selectedInterpreter(undefined),
    process.env.PATH ?? "",
    run,
  );
  if (python === undefined) {
    await noPython();
    return;
  }
  const root = environmentsFolder(context);
  let wanted: Wanted;
  try {
    const carried = vscode.Uri.joinPath(context.extensionUri, "server").fsPath;
    wanted = await requirement(serverPackage(), carried);
  } catch (error) {
    await failed(message(error));
    return;
  }
  if (!(await consent(wanted, python, root))) return;
  const before = server.state;
  server.state = { kind: "installing" };
  try {
    const environment = await progress("Installing onbrand", (report, signal) =>
      create({ root, python, wanted, run, report, signal }),
    );
    void vscode.window.showInformationMessage(`onbrand ${environment.version} is installed.`);
  } catch (error) {
    server.state = before;
    if (message(error) !== "cancelled") await failed(message(error));
    return;
  }
  await context.globalState.update(NEVER, undefined);
  await server.restart();
}

async function consent(wanted: Wanted, python: string, root: string): Promise<boolean> {
  const agree = "Install";
  const detail = [
    `Package: ${wanted.lock ? "the onbrand server that comes with this extension" : wanted.package}`,
    "What it needs, from: PyPI, or the package index that pip is set to on this machine" +
      (wanted.lock ? "; versions and hashes are fixed" : ""),
    `Into: a private environment in ${root}`,
    `With: ${python}`,
    `Size: ${SIZE}`,
    "",
    "Nothing else on this machine changes. Once installed, onbrand needs no network: drafts are judged here and never leave.",
  ].join("\n");
  const options = { modal: true, detail };
  return (
    (await vscode.window.showInformationMessage("Install the onbrand server?", options, agree)) ===
    agree
  );
}

/** Do something long, with its steps in a notification that can cancel it. */
export function progress<T>(
  title: string,
  work: (report: (step: string) => void, signal: AbortSignal) => Promise<T>,
): Thenable<T> {
  const abort = new AbortController();
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title,
      cancellable: true,
    },
    (view, token) => {
      token.onCancellationRequested(() => {
        abort.abort(new Error("cancelled"));
      });
      return work((step) => {
        view.report({ message: step });
      }, abort.signal);
    },
  );
}

async function failed(reason: string): Promise<void> {
  const [retry, settings] = ["Try Again", "Change the Package…"];
  const chosen = await vscode.window.showErrorMessage(
    `onbrand was not installed; nothing is left of the attempt. ${reason}`,
    retry,
    settings,
  );
  if (chosen === retry) await vscode.commands.executeCommand(Command.install);
  if (chosen === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "onbrand.server.package");
  }
}

async function noPython(): Promise<void> {
  const [get, choose] = ["Get Python", "Choose a Program…"];
  const chosen = await vscode.window.showErrorMessage(
    "onbrand needs Python 3.11 or newer, with venv and pip, and found none on PATH.",
    get,
    choose,
  );
  if (chosen === get) {
    await vscode.env.openExternal(vscode.Uri.parse("https://www.python.org/downloads/"));
  }
  if (chosen === choose) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "onbrand.server.path");
  }
}
