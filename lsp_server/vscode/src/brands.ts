/** The brand picker. */
import * as vscode from "vscode";

import type { Server } from "./client.ts";
import type { Drafts } from "./drafts.ts";
import { nameBrand } from "./frontmatter.ts";
import { Command } from "./names.ts";
import { Server as ServerCommands, type Brands } from "./protocol.ts";
import { figure } from "./text.ts";

interface BrandItem extends vscode.QuickPickItem {
  /** null: what the configuration says. */
  readonly brand: string | null;
}

/** Let the user pick the brand that the current draft is checked as, until it is closed. */
export async function pickBrand(server: Server, drafts: Drafts): Promise<void> {
  const document = drafts.current;
  if (!document) {
    void vscode.window.showInformationMessage("Open a draft first: Markdown, MDX, HTML or text.");
    return;
  }
  const uri = document.uri.toString();
  const found = await server.send<Brands>(ServerCommands.brands, { uri });
  if (found.brands.length === 0) {
    const setUp = "Set Up This Folder…";
    const message = "No voice is known for this draft.";
    if ((await vscode.window.showInformationMessage(message, setUp)) === setUp) {
      await vscode.commands.executeCommand(Command.setUpFolder);
    }
    return;
  }
  const chosen = await vscode.window.showQuickPick(brandItems(found), {
    title: `Check ${nameOf(document)} as…`,
    placeHolder: "P says how likely the draft is in the brand's voice",
  });
  if (!chosen) return;
  const argument = { uri, brand: chosen.brand };
  await server.send(ServerCommands.chooseBrand, argument);
  brandChosen(argument, drafts);
}

export function brandItems({ current, source, brands }: Brands): BrandItem[] {
  const sorted = [...brands].sort((a, b) => (b.probability ?? -1) - (a.probability ?? -1));
  const items: BrandItem[] = sorted.map(({ name, probability }) => ({
    brand: name,
    label: name === current ? `$(check) ${name}` : `$(blank) ${name}`,
    description: [
      probability === null ? "not judged" : `P ${figure(probability)}`,
      ...(name === current && source !== null ? [SOURCES[source]] : []),
    ].join(", "),
  }));
  if (source !== "chosen") return items;
  const back = {
    brand: null,
    label: "$(discard) As configured",
    description: "take the choice back",
  };
  return [back, { brand: null, label: "", kind: vscode.QuickPickItemKind.Separator }, ...items];
}

const SOURCES: Record<NonNullable<Brands["source"]>, string> = {
  chosen: "chosen for now",
  "front matter": "named in the front matter",
  configuration: "set in onbrand.toml",
  editor: "set in the settings",
  "only voice": "the only voice",
};

/** Say what a choice means, and offer to keep it; nobody has to answer. */
export function brandChosen(
  { uri, brand }: { uri: string; brand: string | null },
  drafts: Drafts,
): void {
  const document = drafts.current;
  if (brand === null || document?.uri.toString() !== uri) return;
  if (!/^(?:markdown|mdx)$/.test(document.languageId)) return;
  const keep = "Write It into the Front Matter";
  const message = `${nameOf(document)} is checked as ${brand} until it is closed.`;
  void vscode.window.showInformationMessage(message, keep).then(async (chosen) => {
    if (chosen === keep) await writeBrand(document, brand);
  });
}

const nameOf = ({ uri }: vscode.TextDocument): string => uri.path.split("/").pop() ?? "this draft";

/** Name the brand in the draft's front matter. */
export async function writeBrand(document: vscode.TextDocument, brand: string): Promise<void> {
  const newline = document.eol === vscode.EndOfLine.CRLF ? "\r\n" : "\n";
  const { offset, length, text } = nameBrand(document.getText(), brand, newline);
  const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, text);
  await vscode.workspace.applyEdit(edit);
}
