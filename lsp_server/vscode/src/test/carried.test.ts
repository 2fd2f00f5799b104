import assert from "node:assert/strict";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";

import { carriedServer, unpackExample } from "../carried.ts";

let extension = "";
let storage = "";
beforeEach(() => {
  extension = mkdtempSync(path.join(tmpdir(), "onbrand-extension-"));
  storage = path.join(extension, "storage", "example");
});
afterEach(() => {
  rmSync(extension, { recursive: true });
});

function pack(voice: string): void {
  const folder = path.join(extension, "example", "voices", "quillpot");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "voice.json"), voice);
  writeFileSync(path.join(extension, "example", "draft.md"), "The draft.");
  writeFileSync(path.join(extension, "example", "onbrand.toml"), "root = true");
}

const voiceThere = (): string =>
  readFileSync(path.join(storage, "voices", "quillpot", "voice.json"), "utf8");

test("packages for all platforms carry no program", async () => {
  assert.equal(await carriedServer(extension), undefined);
});

test("a program that lost its mode on the way is made one again", async () => {
  const name = process.platform === "win32" ? "onbrand.exe" : "onbrand";
  const program = path.join(extension, "standalone", name);
  mkdirSync(path.dirname(program));
  writeFileSync(program, "", { mode: 0o644 });
  assert.equal(await carriedServer(extension), program);
  accessSync(program, constants.X_OK);
});

test("the example is put where it can be written to, and what was written there stays", async () => {
  pack("one");
  const draft = await unpackExample(extension, storage);
  assert.equal(readFileSync(draft, "utf8"), "The draft.");
  assert.ok(existsSync(path.join(storage, "onbrand.toml")));
  assert.equal(voiceThere(), "one");
  writeFileSync(draft, "Mine.");
  await unpackExample(extension, storage);
  assert.equal(readFileSync(draft, "utf8"), "Mine.");
});

test("a new version of the extension brings its voice, whole", async () => {
  pack("one");
  await unpackExample(extension, storage);
  writeFileSync(path.join(storage, "voices", "quillpot", "old"), "");
  pack("two");
  mkdirSync(path.join(storage, "voices.new"), { recursive: true }); // of an attempt that was cut off
  writeFileSync(path.join(storage, "voices.new", "half"), "");
  await unpackExample(extension, storage);
  assert.equal(voiceThere(), "two");
  assert.ok(!existsSync(path.join(storage, "voices", "quillpot", "old")));
  assert.ok(!existsSync(path.join(storage, "voices", "half")));
});
