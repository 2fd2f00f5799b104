import assert from "node:assert/strict";
import { test } from "node:test";

import { run } from "../process.ts";

const node = process.execPath;

test("a program's output, its lines as they come and its exit code", async () => {
  const lines: string[] = [];
  const script = "console.log('one\\ntwo'); console.error('three'); process.exitCode = 3";
  const outcome = await run(node, ["-e", script], { onLine: (line) => lines.push(line) });
  assert.deepEqual(outcome, { code: 3, stdout: "one\ntwo\n", stderr: "three\n" });
  assert.deepEqual(lines, ["one", "two"]);
});

test("a program that does not exist is an error", async () => {
  await assert.rejects(run("/no/such/program", []), /ENOENT/);
});

test("a program that hangs is ended with those that it started", async () => {
  // The child would keep the output open, and `run` waiting, if it were left alive.
  const script = `require("node:child_process").spawn(process.execPath,
    ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
  await assert.rejects(run(node, ["-e", script], { timeout: 300 }), /no answer in 0.3 s/);
});

test("cancelling ends it", async () => {
  const abort = new AbortController();
  const script = "console.log('ready'); setInterval(() => {}, 1000)";
  const running = run(node, ["-e", script], {
    signal: abort.signal,
    onLine: () => {
      abort.abort();
    },
  });
  await assert.rejects(running, /cancelled/);
});

test("what is cancelled already is not started", async () => {
  const signal = AbortSignal.abort(new Error("cancelled"));
  await assert.rejects(async () => run("/no/such/program", [], { signal }), /cancelled/);
});
