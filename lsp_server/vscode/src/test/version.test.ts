import assert from "node:assert/strict";
import { test } from "node:test";

import { atLeast } from "../version.ts";

const CASES: readonly (readonly [string, string, boolean])[] = [
  ["0.1.0", "0.1.0", true],
  ["0.1", "0.1.0", true],
  ["0.10.0", "0.9.9", true],
  ["1.0.0", "0.9.9", true],
  ["0.1.0.dev3+g1234", "0.1.0", true],
  ["0.0.9", "0.1.0", false],
  ["0.9.9", "1.0.0", false],
  ["latest", "0.1.0", false],
  ["", "0.1.0", false],
];

for (const [version, minimum, expected] of CASES) {
  test(`"${version}" is ${expected ? "" : "not "}at least ${minimum}`, () => {
    assert.equal(atLeast(version, minimum), expected);
  });
}
