import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { candidates, expand, findServer, onPath, type Places } from "../find.ts";
import type { Outcome, Run } from "../process.ts";

const folder = mkdtempSync(path.join(tmpdir(), "onbrand-find-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const NOWHERE: Places = {
  setting: "",
  carried: undefined,
  folder: undefined,
  interpreter: undefined,
  path: "",
  private: undefined,
};

function program(name: string, mode = 0o755): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "");
  chmodSync(file, mode);
  return file;
}

/** Answers as each program would; one that is not named cannot be started. */
function fake(answers: Record<string, Partial<Outcome> & { lsp?: Partial<Outcome> }>): Run {
  return (command, args) => {
    const answer = answers[command];
    if (!answer) return Promise.reject(new Error("ENOENT"));
    const { lsp, ...version } = answer;
    const said = args.includes("lsp") ? { code: 1, ...lsp } : { code: 0, ...version };
    return Promise.resolve({ stdout: "", stderr: "", ...said });
  };
}

test("the setting is the only candidate when it is set", () => {
  const list = candidates({ ...NOWHERE, setting: "/opt/onbrand", interpreter: "/usr/bin/python" });
  assert.deepEqual(
    list.map(({ command }) => command),
    ["/opt/onbrand"],
  );
});

test("then come the server inside, the interpreter, PATH and the private environment", () => {
  const onbrand = program("bin/onbrand");
  const list = candidates({
    ...NOWHERE,
    carried: "/extension/standalone/onbrand",
    interpreter: "/venv/bin/python",
    path: path.dirname(onbrand),
    private: "/private/bin/python",
  });
  assert.deepEqual(
    list.map(({ command }) => command),
    ["/extension/standalone/onbrand", "/venv/bin/python", onbrand, "/private/bin/python"],
  );
});

test("python never looks for onbrand in the working directory", () => {
  const [candidate] = candidates({ ...NOWHERE, interpreter: "/venv/bin/python" });
  assert.deepEqual(candidate?.args, ["-P", "-m", "onbrand"]);
});

test("relative folders of PATH, folders and files that cannot run are no programs", () => {
  mkdirSync(path.join(folder, "a", "onbrand"), { recursive: true });
  program("b/onbrand", 0o644);
  const right = program("c/onbrand");
  const searched = [".", "", "bin", ...["a", "b", "c"].map((name) => path.join(folder, name))];
  assert.equal(onPath("onbrand", searched.join(path.delimiter)), right);
});

test("the first candidate that works is taken, with reasons for those before it", async () => {
  const list = ["/gone", "/other", "/old", "/bare", "/right", "/late"].map((command) => ({
    origin: "a test",
    command,
    args: [],
  }));
  const search = await findServer(
    list,
    fake({
      "/other": { stdout: "Usage: other\n", stderr: "boom\nno such option: --version", code: 1 },
      "/old": { stdout: "onbrand 0.0.9\n" },
      "/bare": {
        stdout: "onbrand 0.1.0\n",
        lsp: { code: 2, stderr: "error: needs onbrand[lsp]\n" },
      },
      "/right": { stdout: "onbrand 0.1.0\n" },
      "/late": { stdout: "onbrand 0.2.0\n" },
    }),
  );
  assert.equal(search.found?.command, "/right");
  assert.equal(search.found.version, "0.1.0");
  assert.deepEqual(
    search.rejected.map(({ reason }) => reason),
    [
      "ENOENT",
      "no such option: --version",
      "it is onbrand 0.0.9; 0.1.0 or newer is needed",
      "needs onbrand[lsp]",
    ],
  );
});

test("a program that is not named in full is never started", async () => {
  let started = 0;
  const search = await findServer([{ origin: "a test", command: "onbrand", args: [] }], () => {
    started += 1;
    return Promise.resolve({ code: 0, stdout: "onbrand 9.0.0", stderr: "" });
  });
  assert.equal(started, 0);
  assert.equal(search.rejected[0]?.reason, "the path is not absolute");
});

test("~ and ${workspaceFolder} stand for folders at the start only", () => {
  assert.equal(expand("~/bin/onbrand", undefined), path.join(homedir(), "bin", "onbrand"));
  assert.equal(expand("${workspaceFolder}/x", "/ws"), path.join("/ws", "x"));
  assert.equal(expand("${workspaceFolder}/x", undefined), "${workspaceFolder}/x");
  assert.equal(expand("/opt/~/onbrand", "/ws"), "/opt/~/onbrand");
});
