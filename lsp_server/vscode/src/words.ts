/** Where in underlined sentences the words stand that speak most against the brand. No `vscode`. */
import type { Position, Range } from "./protocol.ts";

/** What is read of a diagnostic; the language client keeps the server's `data` on it. */
export interface Finding {
  readonly source?: string | undefined;
  readonly severity: number;
  readonly data?: unknown;
}

const SOURCE = "onbrand";
/** `vscode.DiagnosticSeverity.Hint`: findings in the second row, whose words stay unmarked. */
const HINT = 3;

/** Return the ranges of the words to mark in a document. */
export function wordRanges(findings: readonly Finding[]): Range[] {
  return findings
    .filter(({ source, severity }) => source === SOURCE && severity < HINT)
    .flatMap(({ data }) => field(data, "words"))
    .filter(isRange);
}

function field(data: unknown, name: string): readonly unknown[] {
  const value: unknown = isObject(data) ? data[name] : undefined;
  return Array.isArray(value) ? value : [];
}

function isRange(value: unknown): value is Range {
  return isObject(value) && isPosition(value.start) && isPosition(value.end);
}

function isPosition(value: unknown): value is Position {
  return isObject(value) && Number.isInteger(value.line) && Number.isInteger(value.character);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
