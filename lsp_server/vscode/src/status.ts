/** The status-bar item: which brand, which verdict. */
import * as vscode from "vscode";

import type { Server } from "./client.ts";
import { Command } from "./names.ts";
import { isDraft, type Drafts } from "./drafts.ts";
import { escapeMarkdown, face, tooltipLines } from "./text.ts";

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "onbrand.status",
    vscode.StatusBarAlignment.Right,
    90,
  );
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly server: Server,
    private readonly drafts: Drafts,
  ) {
    this.item.name = "onbrand";
    this.subscription = drafts.onDidChange(() => {
      this.render();
    });
    this.render();
  }

  dispose(): void {
    this.subscription.dispose();
    this.item.dispose();
  }

  private render(): void {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !isDraft(editor.document)) {
      this.item.hide();
      return;
    }
    const status = this.drafts.status(editor.document.uri);
    const { text, spoken, alarming } = face(this.server.state, status);
    this.item.text = text;
    this.item.accessibilityInformation = { label: spoken, role: "button" };
    this.item.backgroundColor = alarming
      ? new vscode.ThemeColor("statusBarItem.warningBackground")
      : undefined;
    this.item.command =
      this.server.state.kind === "missing"
        ? Command.install
        : status?.setUp
          ? Command.setUpFolder
          : Command.menu;
    this.item.tooltip = this.tooltip();
    this.item.show();
  }

  private tooltip(): vscode.MarkdownString {
    const links =
      this.server.state.kind === "missing"
        ? [link("Install the server", Command.install), link("How it works", Command.getStarted)]
        : this.server.state.kind === "failed"
          ? [link("Restart", Command.restart), link("Show the log", Command.showLog)]
          : [
              link("Choose brand", Command.pickBrand),
              link("Show the verdict", Command.openPanel),
              link("Configuration", Command.configuration),
            ];
    const lines = tooltipLines(this.server.state, this.drafts.status());
    const text = new vscode.MarkdownString(
      [...lines.map(escapeMarkdown), links.join(" · ")].join("\n\n"),
    );
    text.isTrusted = { enabledCommands: Object.values(Command) };
    return text;
  }
}

const link = (title: string, command: string): string => `[${title}](command:${command})`;
