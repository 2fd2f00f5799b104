/** What the side panel shows, as data. No `vscode` in here. */
import type { DraftVerdict, Profile, Range, Sentence, Verdict, WordShare } from "./protocol.ts";
import { figure, shorten, verdictWord } from "./text.ts";

export interface Node {
  /** Keeps a node open while its figures change; unique among its siblings. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: Icon;
  readonly children?: readonly Node[];
  /** Whether the children are shown at first. */
  readonly open?: boolean;
  /** Where a click leads to. */
  readonly place?: Place;
  /** What menus go by. */
  readonly kind?: "sentence" | "brand" | "line";
  /** The text that commands on this node work with: a sentence, a brand, an example. */
  readonly text?: string;
}

export interface Icon {
  readonly name: string;
  readonly color?: "good" | "bad";
}

/** A range, and the text that stood there when the server judged it. */
export interface Place {
  readonly range: Range;
  readonly text: string;
}

const GOOD: Icon = { name: "pass", color: "good" };
const BAD: Icon = { name: "warning", color: "bad" };
const UNKNOWN: Icon = { name: "dash" };
const LABEL_LENGTH = 100;

type TextAt = (range: Range) => string;

/** Return the view "Draft": the verdict, the sections, the other brands. */
export function draftNodes(draft: DraftVerdict, textAt: TextAt): Node[] {
  const nodes: Node[] = [
    {
      id: "verdict",
      label: verdictWord(draft.verdict ?? "not judged", draft.mend),
      description: against(draft.probability, draft.gate),
      tooltip: draft.message,
      icon: iconOf(draft.verdict),
    },
  ];
  if (draft.sections.length > 0) {
    nodes.push({
      id: "sections",
      label: "Sections",
      children: draft.sections.map((section, place) => ({
        id: `${place}`,
        label: section.title || "Before the first heading",
        description:
          section.probability === null ? "not judged" : `P ${figure(section.probability)}`,
        icon: iconOf(section.verdict),
        place: { range: section.range, text: textAt(section.range) },
      })),
      open: true,
    });
  }
  if (draft.others.length > 0) {
    nodes.push({
      id: "others",
      label: "Other brands",
      children: draft.others.map(({ brand, probability }) => ({
        id: brand,
        label: brand,
        description: probability === null ? "not judged" : `P ${figure(probability)}`,
        kind: "brand",
        text: brand,
      })),
      open: false,
    });
  }
  return nodes;
}

/** Return the view "Sentences", worst first, with the reasons below each. */
export function sentenceNodes(draft: DraftVerdict, textAt: TextAt): Node[] {
  const seen = new Map<string, number>();
  return draft.sentences.map((sentence) => {
    const text = textAt(sentence.range);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    const children = reasons(sentence);
    return {
      id: `${text}\n${times}`,
      // The figure is first: what follows is cut off where the panel is narrow.
      label: `${figure(sentence.probability ?? 0)}  ${shorten(text, LABEL_LENGTH)}`,
      tooltip: sentence.message,
      kind: "sentence",
      text,
      place: { range: sentence.range, text },
      ...(children.length > 0 && { children }),
    };
  });
}

function reasons({ words, habits, nearest }: Sentence): Node[] {
  return [
    ...words.map(wordNode),
    ...habits.map((habit) => ({ id: habit, label: habit, icon: { name: "lightbulb" } })),
    ...(nearest === null ? [] : [lineNode(nearest)]),
  ];
}

function wordNode({ text, share }: WordShare): Node {
  const sign = share < 0 ? "−" : "+";
  return {
    id: `word ${text} ${share}`,
    label: `“${text}”`,
    description: `${sign}${Math.abs(share).toFixed(1)}`,
    tooltip: `Its share of the log-odds: ${share < 0 ? "against" : "for"} the brand`,
    icon: share < 0 ? { name: "arrow-down", color: "bad" } : { name: "arrow-up", color: "good" },
  };
}

const lineNode = (line: string): Node => ({
  id: `line ${line}`,
  label: shorten(line, LABEL_LENGTH),
  description: "nearest on-brand line",
  tooltip: line,
  icon: { name: "quote" },
  kind: "line",
  text: line,
});

const iconOf = (verdict: Verdict | null): Icon =>
  verdict === "forward" ? GOOD : verdict === "review" ? BAD : UNKNOWN;

const against = (probability: number | null, gate: number | null): string =>
  probability === null || gate === null
    ? "too little to judge"
    : `P ${figure(probability, gate)}, gate ${gate.toFixed(2)}`;

/** Return the view "Voice". */
export const voiceNodes = (profile: Profile): Node[] =>
  profile.rows.map(({ label, value }) => ({ id: label, label, description: value }));

/** Return the line above the sentences. */
export const sentencesMessage = (draft: DraftVerdict): string =>
  draft.sentences.length === 0 ? "No sentence sounds off-brand." : "";

/**
 * Return where a text stands now that stood at `offset`: there, or at the occurrence nearest to it.
 * undefined: it is gone.
 */
export function relocate(source: string, text: string, offset: number): number | undefined {
  if (text === "" || source.startsWith(text, offset)) return offset;
  const after = source.indexOf(text, offset);
  const before = source.lastIndexOf(text, offset);
  const found = [before, after].filter((place) => place !== -1);
  if (found.length < 2) return found[0];
  return offset - before <= after - offset ? before : after;
}
