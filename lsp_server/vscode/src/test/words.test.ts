import assert from "node:assert/strict";
import { test } from "node:test";

import { wordRanges } from "../words.ts";

const at = (line: number, start: number, end: number) => ({
  start: { line, character: start },
  end: { line, character: end },
});
const finding = { source: "onbrand", severity: 1, data: { words: [at(0, 3, 11), at(0, 12, 21)] } };

test("the words of all findings are marked", () => {
  const other = { source: "onbrand", severity: 2, data: { words: [at(4, 0, 6)] } };
  assert.deepEqual(wordRanges([finding, other]), [at(0, 3, 11), at(0, 12, 21), at(4, 0, 6)]);
});

test("hints and the findings of others are not", () => {
  assert.deepEqual(
    wordRanges([
      { ...finding, severity: 3 },
      { ...finding, source: "vale" },
    ]),
    [],
  );
});

test("what is no range is left out", () => {
  const words = [null, 7, {}, { start: at(0, 0, 1).start }, { start: {}, end: {} }, at(1, 2, 3)];
  assert.deepEqual(wordRanges([{ ...finding, data: { words } }]), [at(1, 2, 3)]);
  for (const data of [undefined, null, "words", { words: "x" }, { brand: "acme" }]) {
    assert.deepEqual(wordRanges([{ ...finding, data }]), []);
  }
});
