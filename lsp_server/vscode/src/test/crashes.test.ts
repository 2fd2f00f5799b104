import assert from "node:assert/strict";
import { test } from "node:test";

import { Crashes } from "../crashes.ts";

const MINUTE = 60_000;

test("the fifth crash within three minutes is the last", () => {
  const crashes = new Crashes();
  const times = [0, 1, 2, 2.5, 2.9];
  assert.deepEqual(
    times.map((minutes) => crashes.record(minutes * MINUTE)),
    [true, true, true, true, false],
  );
});

test("a crash now and then is forgiven", () => {
  const crashes = new Crashes();
  for (let hour = 0; hour < 20; hour += 1) assert.ok(crashes.record(hour * 60 * MINUTE));
});
