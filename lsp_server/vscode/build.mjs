// Bundles the extension, and collects the licences of what went into the bundle.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";

const common = {
  bundle: true,
  external: ["vscode"],
  format: "cjs",
  platform: "node",
  target: "node20", // What VS Code 1.91 runs extensions on.
};

const { metafile } = await build({
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.cjs",
  minify: true,
  metafile: true,
});
await writeFile("dist/THIRD-PARTY-LICENSES.txt", await licences(Object.keys(metafile.inputs)));

// Runs inside the extension host, where nothing but this file is there to import from.
await build({ ...common, entryPoints: ["test-host/index.ts"], outfile: "dist/test-host.cjs" });

async function licences(inputs) {
  const folders = inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  const texts = [...new Set(folders)].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(
      await readFile(path.join(folder, "package.json"), "utf8"),
    );
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    const text = await readFile(path.join(folder, file), "utf8");
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}
