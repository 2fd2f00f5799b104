/** The nearest on-brand lines of a sentence: to read, to copy, to put beside it. */
import * as vscode from "vscode";

import type { Drafts } from "./drafts.ts";
import { rangeOf } from "./panel.ts";
import type { Examples, Range } from "./protocol.ts";

interface LineItem extends vscode.QuickPickItem {
  readonly text: string;
}

const COPY: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("copy"), tooltip: "Copy" };
const INSERT: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("insert"),
  tooltip: "Insert after the sentence",
};

/** Show the lines that the server found for the sentence at `range`. */
export function pickExample(drafts: Drafts, range: Range | undefined, found: Examples): void {
  if (found.examples.length === 0) {
    void vscode.window.showInformationMessage(
      "This voice shows no lines: it was trained without their texts.",
    );
    return;
  }
  const pick = vscode.window.createQuickPick<LineItem>();
  pick.title = `How ${found.brand} says such things`;
  pick.placeholder = "Enter copies a line";
  pick.items = found.examples.map(({ text, source }) => ({
    text,
    label: text,
    ...(source && { detail: source }),
    buttons: range ? [COPY, INSERT] : [COPY],
  }));
  const done = async (text: string, button: vscode.QuickInputButton) => {
    pick.hide();
    if (button === INSERT && range) await insertAfter(drafts, range, text);
    else await copy(text);
  };
  pick.onDidAccept(() => {
    const [item] = pick.activeItems;
    if (item) void done(item.text, COPY);
  });
  pick.onDidTriggerItemButton(({ item, button }) => {
    void done(item.text, button);
  });
  pick.onDidHide(() => {
    pick.dispose();
  });
  pick.show();
}

export async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage("onbrand: copied", 3000);
}

async function insertAfter(drafts: Drafts, range: Range, text: string): Promise<void> {
  const place = rangeOf(range).end;
  const editor = drafts.editor;
  await editor?.edit((edit) => {
    edit.insert(place, ` ${text}`);
  });
}
