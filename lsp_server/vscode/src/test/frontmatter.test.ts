import assert from "node:assert/strict";
import { test } from "node:test";

import { nameBrand } from "../frontmatter.ts";

function after(source: string, brand = "oatfolk", newline = "\n"): string {
  const { offset, length, text } = nameBrand(source, brand, newline);
  return source.slice(0, offset) + text + source.slice(offset + length);
}

const CASES: Record<string, [string, string]> = {
  "no front matter": ["# Hello\n", "---\nbrand: oatfolk\n---\n\n# Hello\n"],
  "an empty draft": ["", "---\nbrand: oatfolk\n---\n\n"],
  "front matter without a brand": [
    "---\ntitle: x\n---\nHi",
    "---\nbrand: oatfolk\ntitle: x\n---\nHi",
  ],
  "another brand": [
    "---\ntitle: x\nbrand: 'quillpot' # ours\n---\nHi",
    "---\ntitle: x\nbrand: oatfolk\n---\nHi",
  ],
  "a brand of something else": [
    "---\nshop:\n  brand: x\n---\n",
    "---\nbrand: oatfolk\nshop:\n  brand: x\n---\n",
  ],
  "a thematic break": [
    "---\n\nbrand: x\n\n---\n",
    "---\nbrand: oatfolk\n---\n\n---\n\nbrand: x\n\n---\n",
  ],
  "TOML front matter": ["+++\ntitle = 'x'\n+++\n", "+++\nbrand = \"oatfolk\"\ntitle = 'x'\n+++\n"],
  "a brand in TOML": ["+++\nbrand = 'x'\n[a]\n+++\n", '+++\nbrand = "oatfolk"\n[a]\n+++\n'],
  "a brand in a TOML table": [
    "+++\n[a]\nbrand = 'x'\n+++\n",
    "+++\nbrand = \"oatfolk\"\n[a]\nbrand = 'x'\n+++\n",
  ],
  "a byte order mark": ["\ufeff# Hi", "\ufeff---\nbrand: oatfolk\n---\n\n# Hi"],
};

for (const [name, [source, expected]] of Object.entries(CASES)) {
  test(`the brand goes into ${name}`, () => {
    assert.equal(after(source), expected);
  });
}

test("line breaks are the draft's own", () => {
  assert.equal(
    after("---\r\ntitle: x\r\n---\r\n", "oatfolk", "\r\n"),
    "---\r\nbrand: oatfolk\r\ntitle: x\r\n---\r\n",
  );
});

test("names that YAML would read as something else are quoted", () => {
  assert.match(after("", "on"), /^brand: "on"$/m);
  assert.match(after("", "7up"), /^brand: "7up"$/m);
  assert.match(after("", "Ben & Jerry's"), /^brand: "Ben & Jerry's"$/m);
  assert.match(after("", 'the "brand"'), /^brand: 'the "brand"'$/m);
});
