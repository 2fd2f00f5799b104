/** Sets up a folder: which voices, which brand. Writes `onbrand.toml`, which other editors read too. */
import * as vscode from "vscode";

import { PROJECT_FILE, brandsIn, projectFile, voicesPath } from "./projectfile.ts";
import { SECTION } from "./settings.ts";

export async function setUpFolder(): Promise<void> {
  const folder = await whichFolder();
  if (folder === null) return;
  const existing = folder && vscode.Uri.joinPath(folder.uri, PROJECT_FILE);
  if (existing && (await exists(existing))) {
    await vscode.window.showTextDocument(existing);
    return;
  }
  const voices = await chooseVoices(folder?.uri);
  if (!voices) return;
  const brand = await vscode.window.showQuickPick(voices.brands, {
    title: folder
      ? `Which voice do the drafts in ${folder.name} have?`
      : "Whose voice do you write in?",
    placeHolder: "Single drafts can have another one",
  });
  if (brand) await useVoice(folder, voices.folder.fsPath, brand);
}

/**
 * Let the drafts of a folder have a voice: in `onbrand.toml`, which is shown. One that is there
 * already is only shown. Without a folder there is no project: these become the user's own settings.
 */
export async function useVoice(
  folder: vscode.WorkspaceFolder | undefined,
  voices: string,
  brand: string,
): Promise<void> {
  if (folder) {
    const file = vscode.Uri.joinPath(folder.uri, PROJECT_FILE);
    if (!(await exists(file))) {
      const text = projectFile(brand, voicesPath(folder.uri.fsPath, voices));
      await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
    }
    await vscode.window.showTextDocument(file);
    return;
  }
  const settings = vscode.workspace.getConfiguration(SECTION);
  await settings.update("voices", [voices], vscode.ConfigurationTarget.Global);
  await settings.update("brand", brand, vscode.ConfigurationTarget.Global);
}

/** undefined: no folder is open; null: the user has changed their mind. */
export async function whichFolder(): Promise<vscode.WorkspaceFolder | undefined | null> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length < 2) return folders[0];
  const chosen = await vscode.window.showWorkspaceFolderPick({
    placeHolder: "Which folder shall be set up?",
  });
  return chosen ?? null;
}

async function chooseVoices(
  near: vscode.Uri | undefined,
): Promise<{ folder: vscode.Uri; brands: string[] } | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: "The folder that holds the trained voices",
    openLabel: "Use These Voices",
    canSelectFiles: false,
    canSelectFolders: true,
    ...(near && { defaultUri: near }),
  });
  const folder = chosen?.[0];
  if (!folder) return undefined;
  const brands = await brandsIn(folder.fsPath);
  if (brands.length > 0) return { folder, brands };
  const again = "Choose Another Folder…";
  const answer = await vscode.window.showWarningMessage(
    `There is no trained voice in ${folder.fsPath}. Whoever looks after the brand makes one with \`onbrand train\`.`,
    again,
  );
  return answer === again ? chooseVoices(near) : undefined;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
