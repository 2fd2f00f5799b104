/** What `onbrand.toml` says when the extension makes one, and which voices a folder holds. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

export const PROJECT_FILE = "onbrand.toml";

/** Return the text of a project file. */
export function projectFile(brand: string, voices: string): string {
  return [
    "# Which voice the drafts in this folder have, and where the trained voices lie.",
    "# One brand for some of the files: add a [[paths]] table with a glob and a brand.",
    `brand = ${JSON.stringify(brand)}`,
    `voices = [${JSON.stringify(voices)}]`,
    "",
  ].join("\n");
}

/** Return a folder as a project file names it: relative where it lies inside, with slashes. */
export function voicesPath(project: string, voices: string): string {
  const relative = path.relative(project, voices);
  const inside = relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
  return (inside ? relative : voices).split(path.sep).join("/");
}

/** Return the brands whose voices lie in a folder, which may be a voice itself, sorted by name. */
export async function brandsIn(folder: string): Promise<string[]> {
  const own = await brandOf(folder);
  if (own !== undefined) return [own];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => !entry.isFile() && !entry.name.startsWith("."));
  const brands = await Promise.all(folders.map(({ name }) => brandOf(path.join(folder, name))));
  return [...new Set(brands.filter((brand) => brand !== undefined))].sort();
}

async function brandOf(folder: string): Promise<string | undefined> {
  try {
    const manifest = JSON.parse(await readFile(path.join(folder, "voice.json"), "utf8")) as unknown;
    const brand = (manifest as { brand?: unknown } | null)?.brand;
    return typeof brand === "string" ? brand : undefined;
  } catch {
    return undefined;
  }
}

/** Return a brand's name as a folder's name suggests it. */
export const brandName = (folder: string): string =>
  folder
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");

/** Return what is wrong with a brand's name, which becomes a folder's; undefined where nothing is. */
export const brandProblem = (name: string): string | undefined =>
  /^[\p{L}\p{N}]([\p{L}\p{N}._-]*[\p{L}\p{N}])?$/u.test(name.trim())
    ? undefined
    : "Use letters and digits, with - _ or . between them";
