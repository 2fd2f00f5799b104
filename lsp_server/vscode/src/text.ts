/** The words and figures that are shown. No `vscode` in here. */
import type { CheckedDraft, Setting, Status, Verdict } from "./protocol.ts";

/** What the status-bar item says. */
export interface Face {
  /** With icons: `$(check) oatfolk 0.84`. */
  readonly text: string;
  /** The same for a screen reader. */
  readonly spoken: string;
  readonly alarming: boolean;
}

/** How far the server itself has come. */
export type ServerState =
  | { readonly kind: "stopped" | "starting" | "running" | "missing" | "installing" }
  | { readonly kind: "failed"; readonly message: string };

/** A probability with two digits, or with as many as show that it is below `limit`. */
export function figure(probability: number, limit = 0): string {
  if (probability < 0.005) return "<0.01";
  let digits = 2;
  while (probability < limit && probability.toFixed(digits) === limit.toFixed(digits)) digits += 1;
  return probability.toFixed(digits);
}

/** Return what the status bar says of a draft; `status` is the draft's own, if there is any yet. */
export function face(server: ServerState, status: Status | undefined): Face {
  switch (server.kind) {
    case "missing":
      return alarm("$(cloud-download) onbrand: set up", "onbrand is not installed yet");
    case "failed":
      return alarm("$(error) onbrand", `onbrand does not run: ${server.message}`);
    case "installing":
      return calm("$(loading~spin) onbrand", "onbrand is being installed");
    case "stopped":
      return calm("onbrand", "onbrand is stopped");
    case "starting":
      return calm("$(loading~spin) onbrand", "onbrand is starting");
    case "running":
      return draftFace(status);
  }
}

function draftFace(status: Status | undefined): Face {
  if (!status || status.state === "loading") {
    return calm("$(loading~spin) onbrand", "onbrand is checking this draft");
  }
  if (status.state === "problem") {
    return alarm("$(warning) onbrand", `onbrand: ${status.message ?? "this draft is not checked"}`);
  }
  const brand = status.brand;
  if (status.setUp) {
    return calm(
      "$(gear) onbrand: set up",
      "onbrand: set this folder up, and its drafts are checked",
    );
  }
  if (status.state === "silent" || !brand) {
    return calm("onbrand", "onbrand: no brand is set for this file");
  }
  const { verdict, probability } = status;
  if (verdict === "not judged" || probability === undefined || probability === null) {
    return calm(`$(dash) ${brand}`, `onbrand: ${brand}, not judged`);
  }
  const p = figure(probability, status.gate ?? 0);
  const mend = status.mend ?? 0;
  const spoken = `onbrand: ${verdictWord(verdict ?? "not judged", mend)}, P ${p} for ${brand}`;
  if (verdict === "forward" && mend > 0) {
    return calm(`$(edit) ${brand} ${p} mend ${mend}`, spoken);
  }
  return verdict === "forward"
    ? calm(`$(check) ${brand} ${p}`, spoken)
    : calm(`$(warning) ${brand} ${p} review`, spoken);
}

const calm = (text: string, spoken: string): Face => ({ text, spoken, alarming: false });
const alarm = (text: string, spoken: string): Face => ({ text, spoken, alarming: true });

/** Return the verdict in words; `mend`: how many sentences of the draft are to be mended. */
export function verdictWord(verdict: Verdict, mend = 0): string {
  if (verdict === "forward" && mend > 0) {
    return `Forward, but mend ${plural(mend, "sentence")}`;
  }
  return { forward: "Forward", review: "Review", "not judged": "Not judged" }[verdict];
}

/** Return the lines of the status-bar tooltip that concern the draft, as plain text. */
export function tooltipLines(server: ServerState, status: Status | undefined): string[] {
  if (server.kind !== "running" || status?.state !== "ready" || !status.brand) {
    return [face(server, status).spoken];
  }
  const { brand, verdict, probability, gate, flagged = 0, mend = 0, judged = 0 } = status;
  if (probability === null || probability === undefined) {
    return [`Not judged as ${brand}: too few sentences that say enough`];
  }
  const lines = [
    `${verdictWord(verdict ?? "not judged", mend)}: ` +
      `P ${figure(probability, gate ?? 0)} for ${brand}` +
      (gate === null || gate === undefined ? "" : `, the gate is ${gate.toFixed(2)}`),
    tally(flagged, judged),
  ];
  return lines;
}

export const tally = (flagged: number, judged: number): string =>
  `${flagged === 0 ? "None" : flagged} of ${plural(judged, "sentence")} off-brand`;

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Return text for a Markdown string: brand names and messages are other people's words. */
export const escapeMarkdown = (text: string): string =>
  text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&]/g, "\\$&").replace(/\s+/g, " ");

/** Return at most `length` characters of one line, ended by an ellipsis where something is left out. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = [...new Intl.Segmenter().segment(line)];
  const cut = characters[length - 1];
  // Emoji of several code points stay whole.
  return cut === undefined || characters.length === length
    ? line
    : `${line.slice(0, cut.index).trimEnd()}…`;
}

/** What a list shows of one item. */
export interface Line {
  readonly label: string;
  readonly description: string;
}

/** Return a setting and where it comes from: `brand: oatfolk`, `onbrand.toml:3`. */
export function settingLine({ key, value, kind, file, line, glob }: Setting): Line {
  const shown = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  const name = file?.split(/[\\/]/).pop();
  const place = name === undefined ? kind : line === null ? name : `${name}:${line}`;
  return {
    label: `${key}: ${shown || "–"}`,
    description: glob === null ? place : `${place}, for ${glob}`,
  };
}

/** Return the drafts of a workspace: those for review first, the least likely on-brand before. */
export function workspaceLines(
  drafts: readonly CheckedDraft[],
  nameOf: (uri: string) => string,
): (Line & { readonly uri: string })[] {
  const rank: Record<Verdict, number> = { review: 0, forward: 1, "not judged": 2 };
  const icon: Record<Verdict, string> = {
    review: "warning",
    forward: "check",
    "not judged": "dash",
  };
  return [...drafts]
    .sort(
      (a, b) => rank[a.verdict] - rank[b.verdict] || (a.probability ?? 0) - (b.probability ?? 0),
    )
    .map(({ uri, brand, probability, verdict, flagged }) => ({
      uri,
      label: `$(${icon[verdict]}) ${nameOf(uri)}`,
      description: [
        probability === null ? `${brand}, not judged` : `${brand} ${figure(probability)}`,
        ...(flagged > 0 ? [`${flagged} off-brand`] : []),
      ].join(", "),
    }));
}
