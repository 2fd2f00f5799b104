import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import {
  create,
  current,
  findPython,
  nameFor,
  pipArguments,
  pipStep,
  requirement,
  sweep,
} from "../environment.ts";
import type { Outcome, Run } from "../process.ts";

const DAY = 24 * 60 * 60 * 1000;
const OK: Outcome = { code: 0, stdout: "", stderr: "" };

let root = "";
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "onbrand-environment-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A machine on which everything works, but for what `override` answers. */
function machine(override: (line: string) => Outcome | Error | undefined = () => undefined): Run {
  return (command, args) => {
    const line = [command, ...args].join(" ");
    const answer = override(line);
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer) return Promise.resolve(answer);
    if (line.endsWith("--version")) return Promise.resolve({ ...OK, stdout: "onbrand 0.1.0\n" });
    if (line.endsWith("lsp --stdio")) return Promise.resolve({ ...OK, code: 1 });
    return Promise.resolve(OK);
  };
}

const order = (run: Run, signal?: AbortSignal) => ({
  root,
  python: "/usr/bin/python3",
  wanted: { package: "/x/onbrand-0.1.0-py3-none-any.whl", lock: "/x/requirements.txt" },
  run,
  report: () => undefined,
  signal,
});

function made(time: number, complete: boolean): string {
  const folder = path.join(root, nameFor(time));
  mkdirSync(folder);
  if (complete) {
    writeFileSync(path.join(folder, "installed.json"), '{"package": "x", "version": "0.1.0"}');
  }
  return folder;
}

test("what was installed is found again", async () => {
  assert.equal(await current(root), undefined);
  const lines: string[] = [];
  const environment = await create(
    order(
      machine((line) => {
        lines.push(line);
        return undefined;
      }),
    ),
  );
  assert.equal(environment.version, "0.1.0");
  assert.deepEqual(await current(root), environment);
  assert.match(lines[0] ?? "", /^\/usr\/bin\/python3 -I -m venv /);
  assert.match(
    lines[1] ?? "",
    /-I -m pip install .* --require-hashes --no-deps --only-binary :all: --requirement \/x\/requirements\.txt$/,
  );
  assert.match(
    lines[2] ?? "",
    /-I -m pip install .* --no-deps --no-index \/x\/onbrand-0\.1\.0-py3-none-any\.whl$/,
  );
});

test("nothing is left of a failed install, and pip's last error is told", async () => {
  const failing = machine((line) =>
    line.includes("pip install")
      ? { code: 1, stdout: "", stderr: "WARNING: x\nERROR: No matching distribution\nhint" }
      : undefined,
  );
  await assert.rejects(create(order(failing)), /^Error: pip failed: No matching distribution$/);
  assert.deepEqual(readdirSync(root), []);
});

test("nothing is left of an install that was cancelled at the last moment", async () => {
  const abort = new AbortController();
  const run = machine((line) => {
    if (line.endsWith("--version")) abort.abort(new Error("cancelled"));
    return undefined;
  });
  await assert.rejects(create(order(run, abort.signal)), /cancelled/);
  assert.deepEqual(readdirSync(root), []);
});

test("a package that is no onbrand is not kept", async () => {
  const run = machine((line) =>
    line.endsWith("--version") ? { ...OK, stdout: "something 1.0" } : undefined,
  );
  await assert.rejects(create(order(run)), /does not start/);
  assert.deepEqual(readdirSync(root), []);
});

test("the newest complete environment counts", async () => {
  made(1_000, true);
  const newest = made(2_000, true);
  made(3_000, false);
  assert.equal((await current(root))?.folder, newest);
});

test("a damaged marker is none", async () => {
  const folder = made(1_000, true);
  writeFileSync(path.join(folder, "installed.json"), "{");
  assert.equal(await current(root), undefined);
});

test("sweeping takes away what was left half-made or replaced, a day after", async () => {
  const now = 10 * DAY;
  made(now - 3 * DAY, true);
  made(now - 2.5 * DAY, false);
  const newest = made(now - 2 * DAY, true);
  const running = made(now - 1_000, false);
  await sweep(root, now);
  assert.deepEqual(readdirSync(root), [path.basename(newest), path.basename(running)]);
});

test("sweeping leaves alone what another window may still run", async () => {
  const now = 10 * DAY;
  const old = made(now - 3 * DAY, true);
  const newest = made(now - 1_000, true);
  await sweep(root, now);
  assert.deepEqual(readdirSync(root), [path.basename(old), path.basename(newest)]);
});

test("the selected Python is tried first, and one that is too old is passed over", async () => {
  const tooOld: Run = (command) => Promise.resolve({ ...OK, code: command === "/old" ? 1 : 0 });
  assert.equal(await findPython("/new", "", tooOld), "/new");
  assert.equal(await findPython("/old", "", tooOld), undefined);
});

test("the wheel inside is installed by its lock, unless the user chose a package", async () => {
  const wheel = path.join(root, "onbrand-0.1.0-py3-none-any.whl");
  const lock = path.join(root, "requirements.txt");
  await assert.rejects(requirement("", root), /carries no server; set onbrand.server.package/);
  await assert.rejects(requirement("", path.join(root, "gone")), /carries no server/);
  writeFileSync(wheel, "");
  await assert.rejects(requirement("", root), /carries no server/);
  writeFileSync(lock, "");
  assert.deepEqual(await requirement("", root), { package: wheel, lock });
  assert.deepEqual(await requirement("/src/onbrand[lsp]", root), { package: "/src/onbrand[lsp]" });
});

test("no index is ever asked for a package of ours", () => {
  const wanted = { package: "/x/onbrand-0.1.0-py3-none-any.whl", lock: "/x/requirements.txt" };
  const [needs, own, ...more] = pipArguments(wanted);
  assert.ok(needs?.includes("--require-hashes") && !needs.some((word) => word.includes(".whl")));
  assert.ok(own?.includes("--no-index") && own.at(-1) === wanted.package);
  assert.deepEqual(more, []);
  assert.deepEqual(pipArguments({ package: "chosen" }), [["chosen"]]);
});

test("pip's lines in a few words", () => {
  const steps: Record<string, string | undefined> = {
    "Collecting onnxruntime>=1.20 (from onbrand[lsp])": "looking up onnxruntime",
    "  Downloading https://x.example/onnxruntime-1.22.0-cp311-cp311-manylinux.whl (16.4 MB)":
      "downloading onnxruntime (16.4 MB)",
    "Building wheel for onbrand (pyproject.toml): started": "building onbrand",
    "Installing collected packages: numpy, onbrand": "installing",
    "Requirement already satisfied: pip": undefined,
    "": undefined,
  };
  for (const [line, step] of Object.entries(steps)) assert.equal(pipStep(line), step);
});
