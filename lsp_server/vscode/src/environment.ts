/**
 * The extension's own Python environment, with the server in it.
 *
 * Each install goes to a new folder whose marker is written last. A folder without a marker is
 * half-made (cancelled, no disk left, power cut) and is never used; an upgrade does not touch the
 * files of a server that runs.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { MODULE, onPath, probe } from "./find.ts";
import type { Run } from "./process.ts";

const MARKER = "installed.json";
const LOCK = "requirements.txt";
const OLDEST_PYTHON = "3.11";
const PYTHON_TIMEOUT = 20_000;
const DAY = 24 * 60 * 60 * 1000;

export interface Environment {
  readonly folder: string;
  /** Its interpreter. */
  readonly python: string;
  /** What pip was asked for. */
  readonly package: string;
  readonly version: string;
}

/** What is installed. */
export interface Wanted {
  /** What pip is asked for: a wheel's path, or whatever the user chose. */
  readonly package: string;
  /** The file with the versions and hashes of all that a wheel of ours needs. */
  readonly lock?: string;
}

export interface Order {
  /** The folder that holds environments. */
  readonly root: string;
  /** The Python to make it with. */
  readonly python: string;
  readonly wanted: Wanted;
  readonly run: Run;
  /** Told in a few words what is going on. */
  readonly report: (step: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Return the newest complete environment. */
export async function current(root: string): Promise<Environment | undefined> {
  for (const folder of (await folders(root)).reverse()) {
    const environment = await read(folder);
    if (environment) return environment;
  }
  return undefined;
}

/** Make a new environment and return it; on any failure nothing of it is left. */
export async function create(order: Order): Promise<Environment> {
  const { run, signal, report } = order;
  const folder = path.join(order.root, nameFor(Date.now()));
  const python = interpreterIn(folder);
  try {
    await mkdir(folder, { recursive: true });
    report("making an environment");
    await must(run(order.python, ["-I", "-m", "venv", folder], { signal }), "python -m venv");
    report("asking the package index");
    const pip = ["-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"];
    const onLine = (line: string) => {
      const step = pipStep(line);
      if (step) report(step);
    };
    for (const what of pipArguments(order.wanted)) {
      const all = [...pip, "--progress-bar=off", ...what];
      await must(run(python, all, { signal, onLine }), "pip");
    }
    report("starting it once");
    const answer = await probe({ origin: "", command: python, args: MODULE }, run);
    if ("reason" in answer) throw new Error(`What was installed does not start: ${answer.reason}`);
    signal?.throwIfAborted();
    const environment = { folder, python, package: order.wanted.package, version: answer.version };
    await mark(environment);
    return environment;
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

/**
 * Remove half-made environments, and all but the newest complete one, a day after: until then
 * another window may be making it, or run the server in it.
 */
export async function sweep(root: string, now = Date.now()): Promise<void> {
  const keep = await current(root);
  const replaced = keep !== undefined && now - madeAt(keep.folder) > DAY;
  for (const folder of await folders(root)) {
    if (folder === keep?.folder) continue;
    const useless = (await read(folder)) ? replaced : now - madeAt(folder) > DAY;
    // What a running server holds open on Windows goes at a later start.
    if (useless) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Return the first Python that is new enough, of `preferred` and those on PATH. */
export async function findPython(
  preferred: string | undefined,
  searched: string,
  run: Run,
): Promise<string | undefined> {
  const names = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
  const programs = [preferred, ...names.map((name) => onPath(name, searched))];
  const check = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST_PYTHON.replace(".", ", ")}))`;
  for (const program of new Set(programs)) {
    if (program === undefined) continue;
    const answer = await run(program, ["-I", "-c", check], { timeout: PYTHON_TIMEOUT }).catch(
      () => undefined,
    );
    if (answer?.code === 0) return program;
  }
  return undefined;
}

/**
 * Return what is installed: what the user chose, else the wheel in a folder of the extension's, with
 * its lock. Never a name of ours that an index would look up: nobody has claimed it there.
 */
export async function requirement(chosen: string, folder: string): Promise<Wanted> {
  if (chosen) return { package: chosen };
  const files: string[] = await readdir(folder).catch(() => []);
  const wheel = files.find((file) => /^onbrand-.*\.whl$/.test(file));
  if (wheel === undefined || !files.includes(LOCK)) {
    throw new Error(
      "This build of the extension carries no server; set onbrand.server.package to a wheel or a checkout of onbrand.",
    );
  }
  return { package: path.join(folder, wheel), lock: path.join(folder, LOCK) };
}

/**
 * Return the arguments of each `pip install`. The wheel that the extension carries needs no index,
 * and what it needs is taken by version and hash, as wheels alone: nothing is compiled or run.
 */
export function pipArguments({ package: name, lock }: Wanted): string[][] {
  if (lock === undefined) return [[name]];
  return [
    ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", lock],
    ["--no-deps", "--no-index", name],
  ];
}

/** Return what a line of pip's means, in a few words; undefined for lines that tell nothing. */
export function pipStep(line: string): string | undefined {
  const [, word, rest] =
    /^\s*(Collecting|Downloading|Building wheel for|Installing collected packages)\b:? ?(.*)$/.exec(
      line,
    ) ?? [];
  switch (word) {
    case "Collecting":
      return `looking up ${/^[\w.-]+/.exec(rest ?? "")?.[0] ?? "a package"}`;
    case "Downloading": {
      const [, file, size] = /([^/\s]+?)(?:\s+\(([^)]*)\))?$/.exec(rest ?? "") ?? [];
      const name = file?.split("-")[0];
      return name ? `downloading ${name}${size ? ` (${size})` : ""}` : undefined;
    }
    case undefined:
      return undefined;
    case "Building wheel for":
      return `building ${/^[\w.-]+/.exec(rest ?? "")?.[0] ?? "a package"}`;
    default:
      return "installing";
  }
}

export function interpreterIn(folder: string): string {
  return process.platform === "win32"
    ? path.join(folder, "Scripts", "python.exe")
    : path.join(folder, "bin", "python");
}

async function must(running: ReturnType<Run>, what: string): Promise<void> {
  const { code, stderr } = await running;
  if (code === 0) return;
  const lines = stderr.trim().split("\n");
  const said = lines.filter((line) => line.startsWith("ERROR")).pop() ?? lines.pop() ?? "";
  throw new Error(
    `${what} failed: ${said.replace(/^ERROR:\s*/, "") || `exit code ${code ?? "none"}`}`,
  );
}

/** A folder's name is the time it was made, so names sort by age. */
export const nameFor = (time: number): string => time.toString(36).padStart(9, "0");

const madeAt = (folder: string): number => parseInt(path.basename(folder), 36);

/** Sorted by name, that is by age. */
async function folders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(root, entry.name))
    .sort();
}

async function mark(environment: Environment): Promise<void> {
  const file = path.join(environment.folder, MARKER);
  const { package: name, version } = environment;
  await writeFile(`${file}.new`, JSON.stringify({ package: name, version }, null, 2));
  await rename(`${file}.new`, file);
}

async function read(folder: string): Promise<Environment | undefined> {
  try {
    const text = await readFile(path.join(folder, MARKER), "utf8");
    const marker = JSON.parse(text) as { package: string; version: string };
    return { folder, python: interpreterIn(folder), ...marker };
  } catch {
    return undefined;
  }
}
