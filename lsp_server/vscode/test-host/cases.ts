/** The cases, in the order they run in: one of them writes a label, which holds for those after it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as vscode from "vscode";

import type { Api } from "../src/extension.ts";
import { Command } from "../src/names.ts";
import { Server } from "../src/protocol.ts";
import { wordRanges } from "../src/words.ts";
import { untilEqual } from "./until.ts";

const EPIC = "Get ready to absolutely smash your most epic financial year ever!";
const INTELLIGENCE =
  "Quillpot harnesses real-time income intelligence to deliver unparalleled visibility.";
const TYPED = "Our best-in-class solution empowers professionals to leverage synergies.";

const settings = () => vscode.workspace.getConfiguration("onbrand");

function extension(): vscode.Extension<Api> {
  const found = vscode.extensions.getExtension<Api>("onbrand.onbrand");
  assert.ok(found, "the extension is there");
  return found;
}

const api = (): Api => extension().exports;

async function open(name: string): Promise<vscode.TextDocument> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder);
  const uri = vscode.Uri.joinPath(folder.uri, name);
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  // Whatever a failed case has left in it.
  if (document.isDirty) await vscode.commands.executeCommand("workbench.action.files.revert");
  return document;
}

const findings = ({ uri }: vscode.TextDocument): vscode.Diagnostic[] =>
  vscode.languages
    .getDiagnostics(uri)
    .filter(({ source }) => source === "onbrand")
    .sort((a, b) => a.range.start.compareTo(b.range.start));

const underlined = (document: vscode.TextDocument) => (): string[] =>
  findings(document).map(({ range }) => document.getText(range));

async function edit(document: vscode.TextDocument, at: number, text: string, length = 0) {
  const change = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(at), document.positionAt(at + length));
  change.replace(document.uri, range, text);
  assert.ok(await vscode.workspace.applyEdit(change));
}

async function actions(document: vscode.TextDocument, text: string): Promise<vscode.CodeAction[]> {
  const start = document.positionAt(document.getText().indexOf(text));
  return await vscode.commands.executeCommand<vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    document.uri,
    new vscode.Range(start, start),
    vscode.CodeActionKind.QuickFix.value,
  );
}

export const CASES: Record<string, () => Promise<void>> = {
  "it activates for a draft and starts the server that the setting names": async () => {
    const { ready, found } = await extension().activate();
    await ready;
    assert.equal(found()?.origin, "the setting onbrand.server.path");
    assert.equal(found()?.command, settings().get("server.path"));
  },

  "it underlines the sentences that are not in the brand's voice": async () => {
    const draft = await open("draft.md");
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE]);
    const [first] = findings(draft);
    assert.match(
      first?.message ?? "",
      /^Reads like .+; quillpot’s copy hardly ever does\. Above all: “/,
    );
    assert.equal((first?.code as { value: string }).value, "off-brand");
    const words = wordRanges(findings(draft)).map(({ start, end }) =>
      draft.getText(new vscode.Range(start.line, start.character, end.line, end.character)),
    );
    for (const word of ["epic", "unparalleled"]) assert.ok(words.includes(word), words.join(", "));
  },

  "a draft in the brand's voice has no underlines": async () => {
    const clean = await open("clean.md");
    await untilEqual(() => api().status(clean.uri)?.flagged, 0);
    assert.deepEqual(underlined(clean)(), []);
  },

  "the status says brand, verdict and count": async () => {
    const draft = await open("draft.md");
    await untilEqual(() => api().status(draft.uri)?.state, "ready");
    const status = api().status(draft.uri);
    assert.equal(status?.brand, "quillpot");
    assert.equal(status.flagged, 2);
    assert.equal(
      status.verdict,
      (status.probability ?? 0) >= (status.gate ?? 0) ? "forward" : "review",
    );
  },

  "it looks again while the writer types": async () => {
    const draft = await open("draft.md");
    const end = draft.getText().length;
    const typed = `\nPut the kettle on first 🚀. ${TYPED}\n`;
    await edit(draft, end, typed);
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE, TYPED]);
    await edit(draft, end, "", typed.length);
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE]);
  },

  "a hover says why": async () => {
    const draft = await open("draft.md");
    const at = draft.positionAt(draft.getText().indexOf(EPIC));
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      "vscode.executeHoverProvider",
      draft.uri,
      at,
    );
    const said = hovers.flatMap(({ contents }) =>
      contents.map((part) => (part as vscode.MarkdownString).value),
    );
    assert.match(said.join("\n"), /quillpot’s copy hardly ever does/);
  },

  "quick fixes are offered": async () => {
    const draft = await open("draft.md");
    const titles = (await actions(draft, EPIC)).map(({ title }) => title);
    for (const title of [
      "Mark as on-brand for quillpot",
      "Mark as off-brand for quillpot",
      "Ignore this sentence (comment)",
      "Ignore this sentence in the project (onbrand.toml)",
    ]) {
      assert.ok(titles.includes(title), `${title}: ${titles.join(", ")}`);
    }
    assert.ok(titles.some((title) => title.startsWith("Check this document as ")));
  },

  "another brand judges the draft until it is taken back": async () => {
    const draft = await open("draft.md");
    const uri = draft.uri.toString();
    await vscode.commands.executeCommand(Server.chooseBrand, { uri, brand: "oatfolk" });
    await untilEqual(() => api().status(draft.uri)?.brand, "oatfolk");
    await vscode.commands.executeCommand(Server.chooseBrand, { uri, brand: null });
    await untilEqual(() => api().status(draft.uri)?.brand, "quillpot");
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE]);
  },

  "a changed setting holds at once": async () => {
    const draft = await open("draft.md");
    const workspace = vscode.ConfigurationTarget.Workspace;
    await settings().update("enable", false, workspace);
    await untilEqual(() => api().status(draft.uri)?.state, "silent");
    await untilEqual(underlined(draft), []);
    await settings().update("enable", undefined, workspace);
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE]);
  },

  "the brand can be kept in the front matter": async () => {
    const draft = await open("draft.md");
    await untilEqual(() => api().status(draft.uri)?.brand, "quillpot");
    const before = draft.getText();
    await vscode.commands.executeCommand(Command.writeBrand);
    assert.equal(draft.getText(), `---\nbrand: quillpot\n---\n\n${before}`);
    await vscode.commands.executeCommand("undo");
    assert.equal(draft.getText(), before);
  },

  "the panel leads to a sentence, even after it has moved": async () => {
    const draft = await open("draft.md");
    const start = draft.positionAt(draft.getText().indexOf(EPIC));
    const range = { start, end: start.translate(0, EPIC.length) };
    await edit(draft, 0, "Hello.\n\n");
    const target = { uri: draft.uri.toString(), range, text: EPIC };
    await vscode.commands.executeCommand(Command.jump, target);
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor);
    assert.equal(draft.getText(editor.selection), EPIC);
    await edit(draft, 0, "", "Hello.\n\n".length);
  },

  "marking a sentence as on-brand writes a label, and the underline goes": async () => {
    const draft = await open("draft.md");
    await untilEqual(underlined(draft), [EPIC, INTELLIGENCE]);
    const mark = (await actions(draft, EPIC)).find(({ title }) => title.startsWith("Mark as on"));
    assert.ok(mark?.command);
    const { command, arguments: given = [] } = mark.command;
    await vscode.commands.executeCommand(command, ...(given as unknown[]));
    await untilEqual(underlined(draft), [INTELLIGENCE]);
    assert.deepEqual(labels(), [{ text: EPIC, label: "on" }]);
  },

  "a server that dies is started again": async () => {
    const draft = await open("draft.md");
    const old = api().client()?.serverProcess?.pid;
    assert.ok(old);
    process.kill(old, "SIGKILL");
    await untilEqual(() => [undefined, old].includes(api().client()?.serverProcess?.pid), false);
    await untilEqual(() => api().status(draft.uri)?.state, "ready");
    await untilEqual(underlined(draft), [INTELLIGENCE]);
  },

  "restarting the server leaves one, and its findings": async () => {
    const draft = await open("draft.md");
    const old = api().client()?.serverProcess?.pid;
    assert.ok(old);
    await vscode.commands.executeCommand(Command.restart);
    await untilEqual(underlined(draft), [INTELLIGENCE]);
    assert.throws(() => process.kill(old, 0), /ESRCH/);
  },

  "every command of the manifest is there": async () => {
    const known = new Set(await vscode.commands.getCommands(true));
    for (const command of Object.values(Command)) assert.ok(known.has(command), command);
  },

  "a workspace that is not trusted chooses neither programs nor voices": async () => {
    const { capabilities } = extension().packageJSON as {
      capabilities: {
        untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] };
      };
    };
    assert.equal(capabilities.untrustedWorkspaces.supported, "limited");
    assert.deepEqual(capabilities.untrustedWorkspaces.restrictedConfigurations, [
      "onbrand.server.path",
      "onbrand.voices",
      "onbrand.encoder",
    ]);
    // What no workspace may set at all, trusted or not.
    for (const key of ["server.package", "author"]) {
      const target = vscode.ConfigurationTarget.Workspace;
      await assert.rejects(async () => settings().update(key, "x", target), /Workspace|workspace/);
    }
  },
};

/** What the project's label store holds, as the command line exports it. */
function labels(): unknown[] {
  const onbrand = settings().get("server.path", "");
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  const out = execFileSync(onbrand, ["labels", "export"], { cwd: folder?.uri.fsPath });
  return out
    .toString()
    .trim()
    .split("\n")
    .map((line) => {
      const { text, label } = JSON.parse(line) as { text: string; label: string };
      return { text, label };
    });
}
