/** Shows what a server command returned, when a code action, a lens or a command has called it. */
import * as vscode from "vscode";

import { brandChosen } from "./brands.ts";
import type { Drafts } from "./drafts.ts";
import { pickExample } from "./examples.ts";
import { Command } from "./names.ts";
import {
  Server,
  type Configuration,
  type Examples,
  type Marked,
  type Range,
  type WorkspaceCheck,
} from "./protocol.ts";
import { settingLine, workspaceLines } from "./text.ts";

/** What commands are called with, as far as it matters here. */
interface Argument {
  readonly uri: string;
  readonly brand: string | null;
  readonly range?: Range;
}

/** Show a result. Settled as soon as it is shown: nobody has to answer. */
export async function present(
  drafts: Drafts,
  command: string,
  argument: Argument,
  result: unknown,
): Promise<void> {
  // The document has changed meanwhile, or the server has gone.
  if (result === null || result === undefined) return;
  switch (command) {
    case Server.showVerdict:
      await vscode.commands.executeCommand(Command.openPanel);
      return;
    case Server.showExamples:
      pickExample(drafts, argument.range, result as Examples);
      return;
    case Server.showConfiguration:
      void showConfiguration(result as Configuration);
      return;
    case Server.checkWorkspace:
      void showDrafts(result as WorkspaceCheck);
      return;
    case Server.chooseBrand:
    case Server.checkAs:
      brandChosen(argument, drafts);
      return;
    case Server.label: {
      const { label, brand } = result as Marked;
      say(`marked as ${label}-brand for ${brand}`);
      return;
    }
    case Server.takeBack:
      say("your mark is taken back");
      return;
    case Server.ignoreInProject:
      say("the sentence is ignored in this project");
      return;
    case Server.reload:
      say("configuration and voices are read again");
  }
}

function say(line: string): void {
  vscode.window.setStatusBarMessage(`onbrand: ${line}`, 5000);
}

/** Every setting in force, and where it comes from; choosing one goes there. */
async function showConfiguration(found: Configuration): Promise<void> {
  const items = found.settings.map((setting) => ({ setting, ...settingLine(setting) }));
  const chosen = await vscode.window.showQuickPick(items, {
    title:
      found.problem ??
      (found.silent ? "No brand is set for this draft" : "In force for this draft"),
    placeHolder: "Choose a setting to go to where it is set",
    matchOnDescription: true,
  });
  if (!chosen) return;
  const { file, kind, key, line } = chosen.setting;
  if (file !== null) {
    const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), 0);
    await vscode.window.showTextDocument(vscode.Uri.file(file), {
      selection: new vscode.Range(at, at),
    });
  } else if (kind === "editor") {
    await vscode.commands.executeCommand("workbench.action.openSettings", `onbrand.${key}`);
  }
}

/** Every draft of the workspace, those for review first; choosing one opens it. */
async function showDrafts(found: WorkspaceCheck): Promise<void> {
  if (found.drafts.length === 0) {
    void vscode.window.showInformationMessage(found.message);
    return;
  }
  const nameOf = (uri: string) => vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
  const chosen = await vscode.window.showQuickPick(workspaceLines(found.drafts, nameOf), {
    title: found.message,
    placeHolder: "Choose a draft to open it",
    matchOnDescription: true,
  });
  if (chosen) await vscode.window.showTextDocument(vscode.Uri.parse(chosen.uri));
}
