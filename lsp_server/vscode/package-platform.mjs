// Packages the extension for the platform that this runs on, with the standalone build inside.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";

const LIMIT = 90e6;
const target = `${process.platform}-${process.arch}`;
const out = `onbrand-${target}.vsix`;
const ignored = ".vscodeignore-platform";
const options = ["--no-dependencies", "--target", target, "--ignoreFile", ignored, "--out", out];
execFileSync(process.execPath, ["node_modules/@vscode/vsce/vsce", "package", ...options], {
  stdio: "inherit",
});
const { size } = statSync(out);
if (size > LIMIT) throw new Error(`${out} has ${size} bytes; ${LIMIT} are the most`);
