/** The open drafts, what the server last said of each, and which of them is looked at. */
import * as vscode from "vscode";

import type { Status } from "./protocol.ts";
import type { ServerState } from "./text.ts";

// prettier-ignore
const LANGUAGES = ["markdown", "mdx", "html", "plaintext", "restructuredtext", "asciidoc", "latex", "org", "jinja-html", "njk", "liquid", "erb", "vue", "svelte", "astro", "eml", "po"];

/** What is checked: files, and drafts that were never saved. */
export const DRAFTS = LANGUAGES.flatMap((language) => [
  { language, scheme: "file" },
  { language, scheme: "untitled" },
]);

export const isDraft = (document: vscode.TextDocument): boolean =>
  vscode.languages.match(DRAFTS, document) > 0;

/** What tells how the server is, and what it says of drafts. */
interface Events {
  readonly onDidChangeState: vscode.Event<ServerState>;
  readonly onDidTellStatus: vscode.Event<Status>;
}

export class Drafts implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private readonly statuses = new Map<string, Status>();
  private readonly disposables: readonly { dispose(): unknown }[];
  /** The draft in the active editor, or the last one that was. */
  private shown: vscode.TextDocument | undefined;

  /** The current draft is another one, or the server said something of it or of itself. */
  readonly onDidChange = this.changed.event;

  constructor(server: Events) {
    this.disposables = [
      this.changed,
      server.onDidChangeState(({ kind }) => {
        if (kind !== "running") this.statuses.clear();
        this.changed.fire(undefined);
      }),
      server.onDidTellStatus((status) => {
        if (status.uri === null) return;
        const key = keyOf(vscode.Uri.parse(status.uri));
        this.statuses.set(key, status);
        if (this.shown && keyOf(this.shown.uri) === key) this.changed.fire(undefined);
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        this.look(editor);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.statuses.delete(keyOf(document.uri));
        if (this.shown !== document) return;
        this.shown = undefined;
        this.changed.fire(undefined);
      }),
    ];
    this.look(vscode.window.activeTextEditor);
  }

  /** The draft that the panel shows and that commands without an argument mean. */
  get current(): vscode.TextDocument | undefined {
    return this.shown;
  }

  /** What the server said of a draft, by default of the current one. */
  status(uri: vscode.Uri | undefined = this.shown?.uri): Status | undefined {
    return uri && this.statuses.get(keyOf(uri));
  }

  /** The editor that shows the current draft, if one does. */
  get editor(): vscode.TextEditor | undefined {
    return vscode.window.visibleTextEditors.find((editor) => editor.document === this.shown);
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private look(editor: vscode.TextEditor | undefined): void {
    if (editor && isDraft(editor.document)) this.shown = editor.document;
    this.changed.fire(undefined);
  }
}

/** The server may encode a URI in its own way. */
const keyOf = (uri: vscode.Uri): string => uri.toString();
