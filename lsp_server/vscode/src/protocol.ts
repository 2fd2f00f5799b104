/**
 * What the server and this extension say to each other beyond the protocol: names and shapes.
 *
 * Server commands keep their own names, and vscode-languageclient registers each of them as a VS
 * Code command, so that code actions and lenses can call them. The extension's own commands
 * (`commands.ts`) must have other names; a test holds the two lists apart.
 */

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export type Verdict = "forward" | "review" | "not judged";

/** The notification `onbrand/status`. */
export interface Status {
  /** null: the server as a whole. */
  readonly uri: string | null;
  readonly version?: number | null;
  readonly state: "loading" | "ready" | "silent" | "problem";
  readonly message?: string | null;
  /** Nobody has set onbrand up for this draft. */
  readonly setUp?: boolean;
  readonly brand?: string | null;
  readonly brands?: readonly string[];
  readonly probability?: number | null;
  readonly verdict?: Verdict | null;
  readonly gate?: number | null;
  readonly flagged?: number;
  /** Sentences to mend although the draft goes forward. */
  readonly mend?: number;
  readonly judged?: number;
}

export const STATUS = "onbrand/status";

/** The server's commands. Each takes one object. */
export const Server = {
  brands: "onbrand.brands",
  checkAs: "onbrand.checkAs",
  checkWorkspace: "onbrand.checkWorkspace",
  chooseBrand: "onbrand.chooseBrand",
  ignoreInProject: "onbrand.ignoreInProject",
  label: "onbrand.label",
  profile: "onbrand.profile",
  reload: "onbrand.restart",
  showConfiguration: "onbrand.showConfiguration",
  showExamples: "onbrand.showExamples",
  showVerdict: "onbrand.showVerdict",
  takeBack: "onbrand.takeBack",
} as const;

export type ServerCommand = (typeof Server)[keyof typeof Server];

export interface BrandFigure {
  readonly brand: string;
  readonly probability: number | null;
}

export interface WordShare {
  readonly text: string;
  /** Log-odds; below 0 the word speaks against the brand. */
  readonly share: number;
}

export interface Sentence {
  readonly range: Range;
  readonly probability: number | null;
  readonly message: string;
  /** What to show, the worst first. */
  readonly words: readonly WordShare[];
  readonly habits: readonly string[];
  readonly nearest: string | null;
}

export interface Section {
  readonly title: string;
  readonly range: Range;
  readonly probability: number | null;
  readonly verdict: Verdict;
}

/** What `onbrand.showVerdict` returns; `verdict` is null for a draft that was not judged at all. */
export interface DraftVerdict {
  readonly uri: string;
  readonly version: number;
  readonly brand: string | null;
  readonly probability: number | null;
  readonly verdict: Verdict | null;
  readonly gate: number | null;
  /** Sentences that are clearly of another voice; servers of before do not say. */
  readonly mend?: number;
  readonly message: string;
  /** The flagged ones, worst first. */
  readonly sentences: readonly Sentence[];
  readonly sections: readonly Section[];
  readonly others: readonly BrandFigure[];
}

/** What `onbrand.brands` returns. */
export interface Brands {
  readonly current: string | null;
  /** What decides it; null: nothing does. */
  readonly source: "chosen" | "front matter" | "configuration" | "editor" | "only voice" | null;
  readonly brands: readonly { readonly name: string; readonly probability: number | null }[];
}

/** What `onbrand.profile` returns: what a voice is like, to show one below the other. */
export interface Profile {
  readonly brand: string;
  readonly rows: readonly { readonly label: string; readonly value: string }[];
}

/** What `onbrand.showExamples` returns. */
export interface Examples {
  readonly brand: string;
  readonly examples: readonly {
    readonly text: string;
    readonly similarity: number;
    readonly source?: string | null;
  }[];
}

/** What `onbrand.showConfiguration` returns. */
export interface Configuration {
  readonly settings: readonly Setting[];
  readonly problem: string | null;
  /** Nothing says that this document is to be judged. */
  readonly silent: boolean;
}

export interface Setting {
  readonly key: string;
  readonly value: string | number | boolean | readonly string[] | null;
  /** "default", "editor", or how the file says it. */
  readonly kind: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly glob: string | null;
}

/** What `onbrand.checkWorkspace` returns. */
export interface WorkspaceCheck {
  readonly message: string;
  readonly drafts: readonly CheckedDraft[];
}

export interface CheckedDraft {
  readonly uri: string;
  readonly brand: string;
  readonly probability: number | null;
  readonly verdict: Verdict;
  readonly flagged: number;
}

/** What `onbrand.label` returns. */
export interface Marked {
  readonly label: "on" | "off";
  readonly brand: string;
}
