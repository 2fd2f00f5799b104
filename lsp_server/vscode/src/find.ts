/**
 * Finds the server. No `vscode` in here: what the editor knows comes in as `Places`.
 *
 * Every candidate is started once, as a file of the right name proves nothing: a moved virtual
 * environment, a Store stub on Windows, an `onbrand` that is something else.
 */
import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

import type { Run } from "./process.ts";
import { atLeast, parseVersion } from "./version.ts";

/** The oldest server that speaks what this extension speaks. */
export const MINIMUM = "0.1.0";

/** Milliseconds; a first start from a cold disk with a virus scanner takes seconds. */
const PROBE_TIMEOUT = 20_000;

/**
 * `-P`: the working directory is not put on Python's path. Otherwise `python -m onbrand`, started in
 * a project, would run that project's `onbrand/` folder.
 */
export const MODULE = ["-P", "-m", "onbrand"] as const;

/** The origin of the server that packages for one platform have inside. */
export const CARRIED = "the extension";

export interface Candidate {
  /** Where it comes from, as the user is told: "the setting onbrand.server.path". */
  readonly origin: string;
  readonly command: string;
  /** What stands before `lsp` or `--version`. */
  readonly args: readonly string[];
}

export interface Found extends Candidate {
  readonly version: string;
}

export interface Rejected extends Candidate {
  readonly reason: string;
}

export interface Search {
  readonly found?: Found;
  readonly rejected: readonly Rejected[];
}

export interface Places {
  /** The setting `onbrand.server.path`; when it is set, nothing else is tried. */
  readonly setting: string;
  /** The server inside this extension, when it is a package for one platform. */
  readonly carried: string | undefined;
  /** The workspace folder that `${workspaceFolder}` in the setting stands for. */
  readonly folder: string | undefined;
  /** The Python extension's interpreter. */
  readonly interpreter: string | undefined;
  /** The environment variable PATH. */
  readonly path: string;
  /** The interpreter of the private environment, when there is one. */
  readonly private: string | undefined;
}

/** Return what may be the server, best first. */
export function candidates(places: Places): Candidate[] {
  if (places.setting) {
    const command = expand(places.setting, places.folder);
    return [{ origin: "the setting onbrand.server.path", command, args: [] }];
  }
  const found: Candidate[] = [];
  if (places.carried) found.push({ origin: CARRIED, command: places.carried, args: [] });
  if (places.interpreter) found.push(module("the Python extension", places.interpreter));
  const program = onPath("onbrand", places.path);
  if (program) found.push({ origin: "PATH", command: program, args: [] });
  if (places.private) found.push(module("its own environment", places.private));
  return found;
}

const module = (origin: string, command: string): Candidate => ({ origin, command, args: MODULE });

/** Try one candidate after the other and return the first that works. */
export async function findServer(list: readonly Candidate[], run: Run): Promise<Search> {
  const rejected: Rejected[] = [];
  for (const candidate of list) {
    const answer = await probe(candidate, run);
    if ("version" in answer) return { found: { ...candidate, ...answer }, rejected };
    rejected.push({ ...candidate, ...answer });
  }
  return { rejected };
}

/** Start a candidate to learn its version, and that the server's part of onbrand is there too. */
export async function probe(
  { command, args }: Candidate,
  run: Run,
): Promise<{ version: string } | { reason: string }> {
  if (!path.isAbsolute(command)) return { reason: "the path is not absolute" };
  const ask = (...more: string[]) => run(command, [...args, ...more], { timeout: PROBE_TIMEOUT });
  try {
    const [told, served] = await Promise.all([ask("--version"), ask("lsp", "--stdio")]);
    const version = /^onbrand (\S+)/m.exec(told.stdout)?.[1];
    if (told.code !== 0 || version === undefined || !parseVersion(version)) {
      return { reason: lastLine(told.stderr) || "it does not answer --version as onbrand does" };
    }
    if (!atLeast(version, MINIMUM)) {
      return { reason: `it is onbrand ${version}; ${MINIMUM} or newer is needed` };
    }
    // Without a client the server ends at once. An error, say a missing package, is another code.
    return served.code === ERROR ? { reason: lastLine(served.stderr) } : { version };
  } catch (error) {
    return { reason: message(error) };
  }
}

/** The exit code of onbrand's for an error, told in one line. */
const ERROR = 2;

/** Return the last line of what a program of ours said, which is its error. */
export const lastLine = (text: string): string =>
  (text.trim().split("\n").pop() ?? "").replace(/^error: /, "");

/** Return the full path of a program. Relative folders of PATH would mean a project's own files. */
export function onPath(name: string, searched: string): string | undefined {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  return searched
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, file))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Replace `~` and `${workspaceFolder}`, the two that a path in the settings may begin with. */
export function expand(setting: string, folder: string | undefined): string {
  const value = setting.trim();
  if (value === "~" || /^~[/\\]/.test(value)) return path.join(homedir(), value.slice(1));
  const variable = "${workspaceFolder}";
  if (folder !== undefined && value.startsWith(variable)) {
    return path.join(folder, value.slice(variable.length));
  }
  return value;
}

export const message = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
