/** Marks, within underlined sentences, the words that speak most against the brand. */
import * as vscode from "vscode";

import { wordRanges } from "./words.ts";

export class WordMarks implements vscode.Disposable {
  // A background beside the underline, in no colour of its meaning: errors and searches have others.
  private readonly mark = vscode.window.createTextEditorDecorationType({
    borderRadius: "2px",
    light: { backgroundColor: "rgba(200, 110, 0, 0.22)" },
    dark: { backgroundColor: "rgba(255, 170, 60, 0.28)" },
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  private readonly listeners: readonly vscode.Disposable[];

  constructor() {
    this.listeners = [
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        const changed = new Set(uris.map(String));
        this.show((editor) => changed.has(String(editor.document.uri)));
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        this.show(() => true);
      }),
    ];
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
    this.mark.dispose();
  }

  private show(concerns: (editor: vscode.TextEditor) => boolean): void {
    for (const editor of vscode.window.visibleTextEditors.filter(concerns)) {
      const found = vscode.languages.getDiagnostics(editor.document.uri);
      editor.setDecorations(
        this.mark,
        wordRanges(found).map(
          ({ start, end }) =>
            new vscode.Range(start.line, start.character, end.line, end.character),
        ),
      );
    }
  }
}
