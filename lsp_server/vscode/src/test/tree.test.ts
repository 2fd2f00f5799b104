import assert from "node:assert/strict";
import { test } from "node:test";

import type { DraftVerdict, Range, Sentence } from "../protocol.ts";
import { draftNodes, relocate, sentenceNodes, sentencesMessage, voiceNodes } from "../tree.ts";

const at = (line: number): Range => ({
  start: { line, character: 0 },
  end: { line, character: 10 },
});

const sentence = (line: number, more: Partial<Sentence> = {}): Sentence => ({
  range: at(line),
  probability: 0.03,
  message: "Sounds off-brand for oatfolk (P 0.03).",
  words: [],
  habits: [],
  nearest: null,
  ...more,
});

const draft = (more: Partial<DraftVerdict> = {}): DraftVerdict => ({
  uri: "file:///draft.md",
  version: 3,
  brand: "oatfolk",
  probability: 0.41,
  verdict: "review",
  gate: 0.7,
  message: "Review: P 0.41 for oatfolk is below the gate of 0.70",
  sentences: [],
  sections: [],
  others: [],
  ...more,
});

const textAt = (range: Range) => `Line ${range.start.line}.`;

test("the verdict is first, with its gate", () => {
  const [verdict, ...rest] = draftNodes(draft(), textAt);
  assert.equal(verdict?.label, "Review");
  assert.equal(verdict.description, "P 0.41, gate 0.70");
  assert.deepEqual(rest, []);
});

test("a draft that goes forward says how much is to be mended", () => {
  const [verdict] = draftNodes(draft({ verdict: "forward", probability: 0.9, mend: 1 }), textAt);
  assert.equal(verdict?.label, "Forward, but mend 1 sentence");
});

test("a draft that was not judged has a verdict, too", () => {
  const [verdict] = draftNodes(draft({ verdict: null, probability: null, gate: null }), textAt);
  assert.equal(verdict?.label, "Not judged");
  assert.equal(verdict.description, "too little to judge");
});

test("sections lead to their place, other brands can be switched to", () => {
  const nodes = draftNodes(
    draft({
      sections: [{ title: "", range: at(4), probability: 0.9, verdict: "forward" }],
      others: [{ brand: "quillpot", probability: null }],
    }),
    textAt,
  );
  const [, sections, others] = nodes;
  assert.equal(sections?.children?.[0]?.label, "Before the first heading");
  assert.deepEqual(sections.children[0].place, { range: at(4), text: "Line 4." });
  assert.equal(others?.children?.[0]?.kind, "brand");
  assert.equal(others.children[0].text, "quillpot");
  assert.equal(others.children[0].description, "not judged");
});

test("a sentence has its reasons below it: words as the server has them, habits, the nearest line", () => {
  const [node] = sentenceNodes(
    draft({
      sentences: [
        sentence(7, {
          words: [
            { text: "leverage", share: -2 },
            { text: "synergies", share: -1.23 },
            { text: "you", share: 0.4 },
          ],
          habits: ["oatfolk usually writes 8-18 words; this has 34"],
          nearest: "Oats, obviously.",
        }),
      ],
    }),
    textAt,
  );
  assert.equal(node?.label, "0.03  Line 7.");
  assert.deepEqual(
    node.children?.map(({ label, description }) => [label, description]),
    [
      ["“leverage”", "−2.0"],
      ["“synergies”", "−1.2"],
      ["“you”", "+0.4"],
      ["oatfolk usually writes 8-18 words; this has 34", undefined],
      ["Oats, obviously.", "nearest on-brand line"],
    ],
  );
});

test("the same sentence twice makes two nodes, and without reasons it does not unfold", () => {
  const nodes = sentenceNodes(draft({ sentences: [sentence(1), sentence(1)] }), textAt);
  assert.equal(new Set(nodes.map(({ id }) => id)).size, 2);
  assert.equal(nodes[0]?.children, undefined);
});

test("an empty list says why", () => {
  assert.equal(sentencesMessage(draft()), "No sentence sounds off-brand.");
  assert.equal(sentencesMessage(draft({ sentences: [sentence(1)] })), "");
});

test("the voice is listed as the server says", () => {
  const rows = [{ label: "Drafts forwarded", value: "from P 0.70" }];
  assert.deepEqual(voiceNodes({ brand: "oatfolk", rows }), [
    { id: "Drafts forwarded", label: "Drafts forwarded", description: "from P 0.70" },
  ]);
});

test("a sentence is found where it has moved to", () => {
  assert.equal(relocate("One. Two.", "Two.", 5), 5);
  assert.equal(relocate("Zero. One. Two.", "Two.", 5), 11);
  assert.equal(relocate("Two. One.", "Two.", 5), 0);
  // Nearest of several.
  assert.equal(relocate("Two.  . Two.", "Two.", 6), 8);
  assert.equal(relocate("Two.     Two.", "Two.", 3), 0);
  assert.equal(relocate("One.", "Two.", 2), undefined);
  assert.equal(relocate("One.", "", 2), 2);
});
