/** Trains a voice from a folder of published pages, with the server's own `onbrand train`. */
import path from "node:path";
import * as vscode from "vscode";

import type { Server } from "./client.ts";
import { pipStep } from "./environment.ts";
import { lastLine, type Found } from "./find.ts";
import { install, progress } from "./install.ts";
import { run, type Outcome } from "./process.ts";
import { brandName, brandProblem } from "./projectfile.ts";
import { useVoice, whichFolder } from "./project.ts";

/** Measured on Linux: what `onbrand add-training` of a standalone build fetches. */
const SIZE = "about 45 MB to download, 150 MB on disk";

/** Ask for the pages and the brand's name, train, and let the open folder's drafts have the voice. */
export async function trainFromPages(
  context: vscode.ExtensionContext,
  server: Server,
): Promise<void> {
  await server.settled;
  if (server.state.kind === "missing") await install(context, server);
  const { found } = server.search;
  if (!found) return;
  const folder = await whichFolder();
  if (folder === null) return;
  const pages = await choosePages(folder?.uri);
  if (pages === undefined) return;
  const brand = await chooseBrand(pages);
  if (brand === undefined) return;
  const voices = path.join(folder?.uri.fsPath ?? context.globalStorageUri.fsPath, "voices");
  const report = await train(found, pages, brand, voices);
  if (report === undefined) return;
  await useVoice(folder, voices, brand);
  await tell(brand, report);
}

async function choosePages(near: vscode.Uri | undefined): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: "The folder of pages that the brand has published: Markdown, HTML, text or Word",
    openLabel: "Train from These Pages",
    canSelectFiles: false,
    canSelectFolders: true,
    ...(near && { defaultUri: near }),
  });
  return chosen?.[0]?.fsPath;
}

async function chooseBrand(pages: string): Promise<string | undefined> {
  const name = await vscode.window.showInputBox({
    title: "Whose voice is it?",
    prompt: "The brand's name: small letters, digits and dashes",
    value: brandName(path.basename(pages)),
    validateInput: brandProblem,
  });
  return name?.trim();
}

/** Return what training printed; undefined: the writer did not want what it needs, or cancelled. */
async function train(
  found: Found,
  pages: string,
  brand: string,
  voices: string,
): Promise<string | undefined> {
  const ask = ["train", "--published", pages, "--brand", brand, "--output", voices];
  const attempt = () =>
    progress(`Training the voice of ${brand}`, (_, signal) =>
      run(found.command, [...found.args, ...ask], { signal }),
    );
  const first = await unlessCancelled(attempt);
  if (first === undefined || first.code === 0) return first?.stdout;
  // A standalone build names the command that fetches what it leaves out.
  if (!first.stderr.includes(ADD_TRAINING)) throw new Error(lastLine(first.stderr));
  if (!(await addTraining(found))) return undefined;
  const second = await unlessCancelled(attempt);
  if (second && second.code !== 0) throw new Error(lastLine(second.stderr));
  return second?.stdout;
}

const ADD_TRAINING = "add-training";

/** Fetch the libraries for training, after a modal that says what they are. */
async function addTraining(found: Found): Promise<boolean> {
  const agree = "Download";
  const detail = [
    "Training needs scikit-learn and SciPy, which the extension leaves out for their size.",
    "From: PyPI, or the package index that pip is set to on this machine; versions and hashes are fixed",
    "Into: onbrand's folder in your user data",
    `Size: ${SIZE}, once`,
    "",
    "Your pages stay on this machine.",
  ].join("\n");
  const answer = await vscode.window.showInformationMessage(
    "Download what training needs?",
    { modal: true, detail },
    agree,
  );
  if (answer !== agree) return false;
  const done = await unlessCancelled(() =>
    progress("Downloading what training needs", (report, signal) => {
      const onLine = (line: string) => {
        const step = pipStep(line);
        if (step) report(step);
      };
      return run(found.command, [...found.args, ADD_TRAINING], { signal, onLine });
    }),
  );
  if (done && done.code !== 0) throw new Error(lastLine(done.stderr));
  return done !== undefined;
}

async function unlessCancelled(work: () => Thenable<Outcome>): Promise<Outcome | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.message === "cancelled") return undefined;
    throw error;
  }
}

/** The report quotes the pages, so it goes into a document of the writer's and into no log. */
async function tell(brand: string, report: string): Promise<void> {
  const show = "Show the Report";
  const chosen = await vscode.window.showInformationMessage(
    `The voice of ${brand} is trained; drafts are checked with it.`,
    show,
  );
  if (chosen !== show) return;
  // Not plain text, which would be checked as a draft.
  const document = await vscode.workspace.openTextDocument({ content: report, language: "log" });
  await vscode.window.showTextDocument(document);
}
