/**
 * What lies inside the extension: in packages for one platform the server itself, in all of them an
 * example. No `vscode` in here.
 */
import {
  access,
  chmod,
  constants,
  cp,
  mkdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import path from "node:path";

/** Return the program of the standalone build that the extension carries, if it does. */
export async function carriedServer(extension: string): Promise<string | undefined> {
  const name = process.platform === "win32" ? "onbrand.exe" : "onbrand";
  const program = path.join(extension, "standalone", name);
  try {
    await access(program, constants.F_OK);
  } catch {
    return undefined;
  }
  // Some tools that unpack extensions forget which files are programs.
  await access(program, constants.X_OK).catch(() => chmod(program, 0o755).catch(() => undefined));
  return program;
}

/**
 * Put the example where it can be written to, and return its draft.
 *
 * What a writer has changed in the draft stays; voice and project file are the extension's own.
 */
export async function unpackExample(extension: string, folder: string): Promise<string> {
  const packed = path.join(extension, "example");
  const draft = path.join(folder, "draft.md");
  await mkdir(folder, { recursive: true });
  if (!(await isSame(packed, folder))) {
    await rm(path.join(folder, "voices.new"), { recursive: true, force: true });
    await cp(path.join(packed, "voices"), path.join(folder, "voices.new"), { recursive: true });
    await rm(path.join(folder, "voices"), { recursive: true, force: true });
    await rename(path.join(folder, "voices.new"), path.join(folder, "voices"));
  }
  const project = path.join(folder, "onbrand.toml");
  await cp(path.join(packed, "onbrand.toml"), project);
  await access(draft).catch(async () => {
    await writeFile(draft, await readFile(path.join(packed, "draft.md")));
  });
  return draft;
}

/** A running server reads the voice, so it is replaced only when it is another one. */
async function isSame(packed: string, folder: string): Promise<boolean> {
  const voice = path.join("voices", "quillpot", "voice.json");
  const texts = [packed, folder].map((place) => readFile(path.join(place, voice), "utf8"));
  const [ours, theirs] = await Promise.all(texts.map((text) => text.catch(() => "")));
  return ours !== "" && ours === theirs;
}
