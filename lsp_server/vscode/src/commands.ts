/** The extension's commands. */
import * as vscode from "vscode";

import { pickBrand, writeBrand } from "./brands.ts";
import type { Server } from "./client.ts";
import type { Drafts } from "./drafts.ts";
import { copy } from "./examples.ts";
import { message } from "./find.ts";
import { install } from "./install.ts";
import { Command } from "./names.ts";
import { rangeOf, type Target } from "./panel.ts";
import { setUpFolder } from "./project.ts";
import { Server as ServerCommands, type Range, type ServerCommand } from "./protocol.ts";
import { trainFromPages } from "./train.ts";
import { relocate, type Node } from "./tree.ts";
import { tryIt } from "./tryit.ts";

export interface Parts {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly drafts: Drafts;
  readonly output: vscode.LogOutputChannel;
}

/** Register all of them. Errors are told in one message, and never thrown at the writer. */
export function registerCommands(parts: Parts): vscode.Disposable {
  const { context, server, drafts, output } = parts;
  const handlers: Record<(typeof Command)[keyof typeof Command], (...args: never[]) => unknown> = {
    [Command.menu]: () => showMenu(server),
    [Command.pickBrand]: () => pickBrand(server, drafts),
    [Command.writeBrand]: () => keepBrand(drafts),
    [Command.openPanel]: () => vscode.commands.executeCommand("onbrand.draft.focus"),
    [Command.markOn]: (node?: Node) => mark(parts, "on", node),
    [Command.markOff]: (node?: Node) => mark(parts, "off", node),
    [Command.examples]: (node?: Node) => examples(parts, node),
    [Command.checkAll]: () => call(parts, ServerCommands.checkWorkspace, {}),
    [Command.configuration]: () => onDraft(parts, ServerCommands.showConfiguration, {}),
    [Command.checkAsBrand]: (node: Node) =>
      onDraft(parts, ServerCommands.chooseBrand, { brand: node.text }),
    [Command.reload]: () => call(parts, ServerCommands.reload, {}),
    [Command.tryIt]: () => tryIt(context, server),
    [Command.train]: () => trainFromPages(context, server),
    [Command.setUpFolder]: setUpFolder,
    [Command.install]: () => install(context, server),
    [Command.restart]: () => server.restart(),
    [Command.showLog]: () => {
      output.show();
    },
    [Command.openSettings]: () =>
      vscode.commands.executeCommand(
        "workbench.action.openSettings",
        `@ext:${context.extension.id}`,
      ),
    [Command.getStarted]: () =>
      vscode.commands.executeCommand(
        "workbench.action.openWalkthrough",
        `${context.extension.id}#start`,
        false,
      ),
    [Command.jump]: jump,
    [Command.copyLine]: (node: Node) => copy(node.text ?? ""),
  };
  return vscode.Disposable.from(
    ...Object.entries(handlers).map(([name, handler]) =>
      vscode.commands.registerCommand(name, async (...args: unknown[]) => {
        try {
          await handler(...(args as never[]));
        } catch (error) {
          output.error(`${name}: ${message(error)}`);
          void vscode.window.showErrorMessage(`onbrand: ${message(error)}`);
        }
      }),
    ),
  );
}

/** Run a server command and show what it returns, as if a code action had called it. */
async function call({ server }: Parts, command: ServerCommand, argument: object): Promise<void> {
  await server.present(command, argument, await server.send(command, argument));
}

async function onDraft(parts: Parts, command: ServerCommand, argument: object): Promise<void> {
  const document = parts.drafts.current;
  if (!document) throw new Error("Open a draft first: Markdown, MDX, HTML or text");
  await call(parts, command, { uri: document.uri.toString(), ...argument });
}

/** The sentence that a command means: a node of the panel, or where the cursor is. */
function meant(drafts: Drafts, node: Node | undefined): Range {
  if (node?.place) return node.place.range;
  const selection = drafts.editor?.selection;
  if (!selection) throw new Error("Put the cursor into a sentence first");
  const { start, end } = selection;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

async function mark(parts: Parts, label: "on" | "off", node?: Node): Promise<void> {
  const { drafts } = parts;
  const brand = drafts.status()?.brand;
  if (!brand) throw new Error("This draft is not checked as any brand");
  const range = meant(drafts, node);
  const version = drafts.current?.version;
  await onDraft(parts, ServerCommands.label, { range, brand, label, version });
}

const examples = (parts: Parts, node?: Node): Promise<void> =>
  onDraft(parts, ServerCommands.showExamples, { range: meant(parts.drafts, node) });

async function keepBrand(drafts: Drafts): Promise<void> {
  const brand = drafts.status()?.brand;
  if (!drafts.current || !brand) throw new Error("This draft is not checked as any brand");
  await writeBrand(drafts.current, brand);
}

/** Go to a sentence or section and select it, wherever it stands by now. */
async function jump({ uri, range, text }: Target): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const editor = await vscode.window.showTextDocument(document);
  const offset = relocate(document.getText(), text, document.offsetAt(rangeOf(range).start));
  if (offset === undefined) return;
  const start = document.positionAt(offset);
  const end = document.positionAt(offset + text.length);
  editor.selection = new vscode.Selection(start, end);
  editor.revealRange(
    new vscode.Range(start, end),
    vscode.TextEditorRevealType.InCenterIfOutsideViewport,
  );
}

interface MenuItem extends vscode.QuickPickItem {
  readonly command?: string;
}

async function showMenu(server: Server): Promise<void> {
  const runs = server.state.kind === "running";
  const chosen = await vscode.window.showQuickPick([...(runs ? DRAFT_MENU : []), ...SERVER_MENU], {
    title: "onbrand",
  });
  if (chosen?.command) await vscode.commands.executeCommand(chosen.command);
}

const DRAFT_MENU: readonly MenuItem[] = [
  { label: "$(arrow-swap) Check this draft as…", command: Command.pickBrand },
  { label: "$(list-tree) Show the verdict", command: Command.openPanel },
  { label: "$(checklist) Check all drafts", command: Command.checkAll },
  { label: "$(settings) Show the configuration in force", command: Command.configuration },
  { label: "", kind: vscode.QuickPickItemKind.Separator },
];

const SERVER_MENU: readonly MenuItem[] = [
  { label: "$(folder-library) Set up this folder…", command: Command.setUpFolder },
  { label: "$(mortar-board) Train a voice from published pages…", command: Command.train },
  { label: "$(gear) Settings", command: Command.openSettings },
  { label: "$(output) Show the log", command: Command.showLog },
  { label: "$(debug-restart) Restart the server", command: Command.restart },
  { label: "$(book) Get started", command: Command.getStarted },
];
