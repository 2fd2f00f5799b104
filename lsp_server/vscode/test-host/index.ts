/**
 * Runs inside the extension host of a real VS Code (`extensionTestsPath`), in the project of
 * tests/editors, with `onbrand.server.path` set. A failed case makes `run` reject.
 */
import { writeFileSync } from "node:fs";

import { CASES } from "./cases.ts";

interface Result {
  readonly name: string;
  readonly error?: string;
}

export async function run(): Promise<void> {
  const results: Result[] = [];
  for (const [name, test] of Object.entries(CASES)) {
    try {
      await test();
      results.push({ name });
    } catch (error) {
      results.push({ name, error: error instanceof Error ? (error.stack ?? "") : String(error) });
    }
  }
  const place = process.env.ONBRAND_TEST_RESULT;
  if (place) writeFileSync(place, JSON.stringify(results, null, 2));
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length > 0) {
    throw new Error(failed.map(({ name, error }) => `${name}\n${error ?? ""}`).join("\n\n"));
  }
}
