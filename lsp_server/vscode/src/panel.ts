/** The side panel: three tree views, which keyboards and screen readers know how to use. */
import * as vscode from "vscode";

import type { Server } from "./client.ts";
import type { Drafts } from "./drafts.ts";
import { message } from "./find.ts";
import { Command } from "./names.ts";
import {
  Server as ServerCommands,
  type DraftVerdict,
  type Profile,
  type Range,
  type Status,
} from "./protocol.ts";
import { tally } from "./text.ts";
import {
  draftNodes,
  sentenceNodes,
  sentencesMessage,
  voiceNodes,
  type Icon,
  type Node,
} from "./tree.ts";

/** Milliseconds; the figures follow the writer, they need not be ahead of them. */
const SETTLE = 300;

const COLORS = {
  good: new vscode.ThemeColor("testing.iconPassed"),
  bad: new vscode.ThemeColor("list.warningForeground"),
};

export class Panel implements vscode.Disposable {
  private readonly draft = new Tree("onbrand.draft");
  private readonly sentences = new Tree("onbrand.sentences");
  private readonly voice = new Tree("onbrand.voice");
  private readonly trees = [this.draft, this.sentences, this.voice];
  private readonly disposables: readonly { dispose(): unknown }[];
  private timer: NodeJS.Timeout | undefined;
  private asking: vscode.CancellationTokenSource | undefined;
  private stale = true;

  constructor(
    private readonly server: Server,
    private readonly drafts: Drafts,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.disposables = [
      ...this.trees,
      drafts.onDidChange(() => {
        this.schedule();
      }),
      ...this.trees.map(({ view }) =>
        view.onDidChangeVisibility(({ visible }) => {
          if (visible && this.stale) this.schedule();
        }),
      ),
    ];
    this.schedule();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private schedule(): void {
    this.stale = true;
    this.asking?.cancel();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      void this.refresh();
    }, SETTLE);
  }

  private async refresh(): Promise<void> {
    const document = this.drafts.current;
    const status = this.drafts.status();
    const state = this.server.state.kind;
    const seen = state !== "running" ? state : !document ? "none" : (status?.state ?? "loading");
    await vscode.commands.executeCommand("setContext", "onbrand.state", seen);
    await vscode.commands.executeCommand("setContext", "onbrand.runs", state === "running");
    const judged = document && status?.state === "ready" && status.brand ? document : undefined;
    this.sentences.badge(judged ? status : undefined);
    if (!judged) {
      // A short "loading" between two verdicts is no reason to take everything away.
      if (seen !== "loading") for (const tree of this.trees) tree.clear();
      return;
    }
    // Closed views ask for nothing.
    if (!this.trees.some(({ view }) => view.visible)) return;
    await this.ask(judged);
  }

  private async ask(document: vscode.TextDocument): Promise<void> {
    const asking = new vscode.CancellationTokenSource();
    this.asking = asking;
    const argument = { uri: document.uri.toString() };
    try {
      const [verdict, profile] = await Promise.all([
        this.server.send<DraftVerdict | null>(ServerCommands.showVerdict, argument, asking.token),
        this.server.send<Profile | null>(ServerCommands.profile, argument, asking.token),
      ]);
      if (asking.token.isCancellationRequested) return;
      this.show(document, verdict, profile);
      this.stale = false;
    } catch (error) {
      if (!asking.token.isCancellationRequested) this.log.warn(`The panel: ${message(error)}`);
    } finally {
      asking.dispose();
    }
  }

  private show(
    document: vscode.TextDocument,
    verdict: DraftVerdict | null,
    profile: Profile | null,
  ): void {
    const textAt = (range: Range) => document.getText(rangeOf(range));
    this.draft.show(document, verdict ? draftNodes(verdict, textAt) : [], verdict?.brand ?? "");
    const { flagged = 0, judged = 0 } = this.drafts.status(document.uri) ?? {};
    const sentences = verdict ? sentenceNodes(verdict, textAt) : [];
    this.sentences.show(document, sentences, flagged > 0 ? `${flagged} of ${judged}` : "");
    this.sentences.view.message = verdict ? sentencesMessage(verdict) : "";
    this.voice.show(document, profile ? voiceNodes(profile) : [], profile?.brand);
  }
}

/** One view. Its elements are the nodes themselves. */
class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly parents = new Map<Node, Node>();
  private nodes: readonly Node[] = [];
  private document: vscode.TextDocument | undefined;
  readonly view: vscode.TreeView<Node>;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(id: string) {
    this.view = vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true });
  }

  show(document: vscode.TextDocument, nodes: readonly Node[], description?: string): void {
    this.document = document;
    this.nodes = nodes;
    this.view.description = description ?? "";
    this.parents.clear();
    this.changed.fire();
  }

  clear(): void {
    this.nodes = [];
    this.view.description = "";
    this.view.message = "";
    this.changed.fire();
  }

  /** Put the number of findings on the view's icon. */
  badge(status: Status | undefined): void {
    const { flagged = 0, judged = 0 } = status ?? {};
    this.view.badge = flagged > 0 ? { value: flagged, tooltip: tally(flagged, judged) } : undefined;
  }

  getChildren(node?: Node): readonly Node[] & Node[] {
    const children = [...(node ? (node.children ?? []) : this.nodes)];
    if (node) for (const child of children) this.parents.set(child, node);
    return children;
  }

  getParent(node: Node): Node | undefined {
    return this.parents.get(node);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, foldOf(node));
    item.id = this.path(node);
    item.description = node.description ?? false;
    item.tooltip = node.tooltip ?? node.label;
    if (node.icon) item.iconPath = iconOf(node.icon);
    if (node.kind) item.contextValue = node.kind;
    if (node.place && this.document) {
      const { range, text } = node.place;
      const target: Target = { uri: this.document.uri.toString(), range, text };
      item.command = { title: "Go to It", command: Command.jump, arguments: [target] };
    }
    return item;
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }

  private path(node: Node): string {
    const parent = this.parents.get(node);
    return parent ? `${this.path(parent)}\n\n${node.id}` : node.id;
  }
}

/** The argument of `onbrand.jump`. */
export interface Target {
  readonly uri: string;
  readonly range: Range;
  readonly text: string;
}

export const rangeOf = ({ start, end }: Range): vscode.Range =>
  new vscode.Range(start.line, start.character, end.line, end.character);

const foldOf = ({ children, open }: Node): vscode.TreeItemCollapsibleState =>
  !children
    ? vscode.TreeItemCollapsibleState.None
    : open
      ? vscode.TreeItemCollapsibleState.Expanded
      : vscode.TreeItemCollapsibleState.Collapsed;

const iconOf = ({ name, color }: Icon): vscode.ThemeIcon =>
  new vscode.ThemeIcon(name, color && COLORS[color]);
