import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { brandName, brandProblem, brandsIn, projectFile, voicesPath } from "../projectfile.ts";

const folder = mkdtempSync(path.join(tmpdir(), "onbrand-project-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function voice(name: string, manifest: string): string {
  const place = path.join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, "voice.json"), manifest);
  return place;
}

test("the brands of a folder of voices, and of one that is a voice itself", async () => {
  const one = voice("b", '{"brand": "quillpot"}');
  voice("a", '{"brand": "oatfolk"}');
  voice("broken", "{");
  voice("odd", '{"brand": 7}');
  voice(".hidden", '{"brand": "hidden"}');
  mkdirSync(path.join(folder, "empty"));
  assert.deepEqual(await brandsIn(folder), ["oatfolk", "quillpot"]);
  assert.deepEqual(await brandsIn(one), ["quillpot"]);
  assert.deepEqual(await brandsIn(path.join(folder, "nowhere")), []);
});

test("voices inside the project are named relative to it", () => {
  const inside = path.join("/ws", "brand", "voices");
  assert.equal(voicesPath("/ws", inside), "brand/voices");
  assert.equal(voicesPath("/ws", "/elsewhere/voices"), "/elsewhere/voices");
  assert.equal(voicesPath("/ws", "/ws-other/voices"), "/ws-other/voices");
  assert.equal(voicesPath("/ws", "/ws"), "/ws");
});

test("names are quoted in the project file", () => {
  assert.match(projectFile('a "b"', "c\\d"), /^brand = "a \\"b\\""\nvoices = \["c\\\\d"\]$/m);
});

test("a folder's name suggests the brand's, which can name a folder again", () => {
  assert.equal(brandName("Café Zoë – pages!"), "café-zoë-pages");
  assert.equal(brandName("  "), "");
  for (const good of ["acme", "a", " rust ", "varnholt-pumps", "n26", "zoë.co_uk"]) {
    assert.equal(brandProblem(good), undefined, good);
  }
  for (const bad of ["", " ", "-acme", "acme.", "a/b", "a b", "..", "a\\b"]) {
    assert.ok(brandProblem(bad), bad);
  }
});
