import assert from "node:assert/strict";
import { test } from "node:test";

import type { Status } from "../protocol.ts";
import {
  escapeMarkdown,
  face,
  figure,
  settingLine,
  shorten,
  tooltipLines,
  workspaceLines,
  type ServerState,
} from "../text.ts";

const RUNS: ServerState = { kind: "running" };

const status = (more: Partial<Status>): Status => ({
  uri: "file:///draft.md",
  state: "ready",
  brand: "oatfolk",
  probability: 0.84,
  verdict: "forward",
  gate: 0.7,
  flagged: 0,
  judged: 12,
  ...more,
});

const FACES: Record<string, [ServerState, Status | undefined, string, boolean]> = {
  "a draft that goes forward": [RUNS, status({}), "$(check) oatfolk 0.84", false],
  "a draft to review": [
    RUNS,
    status({ brand: "quillpot", probability: 0.41, verdict: "review" }),
    "$(warning) quillpot 0.41 review",
    false,
  ],
  "a draft just below the gate": [
    RUNS,
    status({ probability: 0.6996, verdict: "review" }),
    "$(warning) oatfolk 0.6996 review",
    false,
  ],
  "a draft that says too little": [
    RUNS,
    status({ probability: null, verdict: "not judged" }),
    "$(dash) oatfolk",
    false,
  ],
  "a draft before its first verdict": [RUNS, undefined, "$(loading~spin) onbrand", false],
  "a draft whose voice is being loaded": [
    RUNS,
    status({ state: "loading" }),
    "$(loading~spin) onbrand",
    false,
  ],
  "a draft without a brand": [RUNS, status({ state: "silent", brand: null }), "onbrand", false],
  "a draft in a folder that nobody set up": [
    RUNS,
    status({ state: "silent", brand: null, setUp: true }),
    "$(gear) onbrand: set up",
    false,
  ],
  "a draft that cannot be judged": [
    RUNS,
    status({ state: "problem", message: "no voice for brand 'x'" }),
    "$(warning) onbrand",
    true,
  ],
  "no server": [{ kind: "missing" }, undefined, "$(cloud-download) onbrand: set up", true],
  "a server that crashed": [
    { kind: "failed", message: "boom" },
    status({}),
    "$(error) onbrand",
    true,
  ],
  "a server that was stopped": [{ kind: "stopped" }, status({}), "onbrand", false],
};

for (const [name, [server, draft, text, alarming]] of Object.entries(FACES)) {
  test(`the status bar on ${name}`, () => {
    const shown = face(server, draft);
    assert.equal(shown.text, text);
    assert.equal(shown.alarming, alarming);
    // A screen reader gets words, not icons.
    assert.match(shown.spoken, /^onbrand/);
    assert.doesNotMatch(shown.spoken, /\$\(/);
  });
}

test("what is to be mended is said though the draft goes forward", () => {
  const shown = face(RUNS, status({ verdict: "forward", probability: 0.9, flagged: 3, mend: 2 }));
  assert.equal(shown.text, "$(edit) oatfolk 0.90 mend 2");
  assert.equal(shown.spoken, "onbrand: Forward, but mend 2 sentences, P 0.90 for oatfolk");
  const stopped = face(RUNS, status({ verdict: "review", probability: 0.4, flagged: 3, mend: 2 }));
  assert.equal(stopped.text, "$(warning) oatfolk 0.40 review");
});

test("the problem is said in full to a screen reader", () => {
  const { spoken } = face(RUNS, status({ state: "problem", message: "no voice for brand 'x'" }));
  assert.equal(spoken, "onbrand: no voice for brand 'x'");
});

test("the tooltip has the gate and counts sentences", () => {
  assert.deepEqual(
    tooltipLines(RUNS, status({ verdict: "review", probability: 0.41, flagged: 1 })),
    ["Review: P 0.41 for oatfolk, the gate is 0.70", "1 of 12 sentences off-brand"],
  );
  assert.equal(tooltipLines(RUNS, status({ judged: 1 }))[1], "None of 1 sentence off-brand");
  assert.deepEqual(
    tooltipLines(RUNS, status({ verdict: "forward", probability: 0.9, flagged: 2, mend: 1 })),
    [
      "Forward, but mend 1 sentence: P 0.90 for oatfolk, the gate is 0.70",
      "2 of 12 sentences off-brand",
    ],
  );
});

test("a figure never looks like the limit that it is below", () => {
  assert.equal(figure(0.841), "0.84");
  assert.equal(figure(0.6999, 0.7), "0.6999");
  assert.equal(figure(0.7, 0.7), "0.70");
  assert.equal(figure(0.0049), "<0.01");
});

test("a brand's name is text in Markdown, whatever it is", () => {
  assert.equal(
    escapeMarkdown("[a](command:x) $(sync) <b>"),
    "\\[a\\]\\(command:x\\) \\$\\(sync\\) \\<b\\>",
  );
});

test("long lines are cut between characters as people see them", () => {
  assert.equal(shorten("one  two\nthree", 20), "one two three");
  assert.equal(shorten("abcdef", 6), "abcdef");
  assert.equal(shorten("abcdefg", 6), "abcde…");
  assert.equal(shorten("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 2), "👩‍👩‍👧…");
});

test("a setting says where it comes from", () => {
  const setting = { key: "brand", value: "oatfolk", kind: "top level", line: 3, glob: null };
  assert.deepEqual(settingLine({ ...setting, file: "/ws/onbrand.toml" }), {
    label: "brand: oatfolk",
    description: "onbrand.toml:3",
  });
  assert.equal(
    settingLine({ ...setting, file: "C:\\ws\\onbrand.toml", glob: "docs/**" }).description,
    "onbrand.toml:3, for docs/**",
  );
  const unset = { key: "gate", value: null, kind: "default", file: null, line: null, glob: null };
  assert.deepEqual(settingLine(unset), { label: "gate: –", description: "default" });
  assert.equal(settingLine({ ...unset, value: false }).label, "gate: false");
  assert.equal(settingLine({ ...unset, value: ["a", "b"] }).label, "gate: a, b");
});

test("drafts for review come first, the worst before", () => {
  const draft = { brand: "oatfolk", flagged: 0 };
  const lines = workspaceLines(
    [
      { ...draft, uri: "silent", probability: null, verdict: "not judged" },
      { ...draft, uri: "good", probability: 0.9, verdict: "forward", flagged: 2 },
      { ...draft, uri: "so-so", probability: 0.6, verdict: "review" },
      { ...draft, uri: "bad", probability: 0.1, verdict: "review" },
    ],
    (uri) => uri.toUpperCase(),
  );
  assert.deepEqual(
    lines.map(({ label, description }) => [label, description]),
    [
      ["$(warning) BAD", "oatfolk 0.10"],
      ["$(warning) SO-SO", "oatfolk 0.60"],
      ["$(check) GOOD", "oatfolk 0.90, 2 off-brand"],
      ["$(dash) SILENT", "oatfolk, not judged"],
    ],
  );
});
