/** Waits for what the editor and the server will do, by looking again. */
import { isDeepStrictEqual } from "node:util";

const PATIENCE = 30_000;
const PAUSE = 50;

/** Look until `look` returns what is wanted; the error shows what it returned last. */
export async function untilEqual<T>(look: () => T | Promise<T>, wanted: T): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    if (isDeepStrictEqual(seen, wanted)) return;
    if (Date.now() > deadline) {
      throw new Error(`wanted ${JSON.stringify(wanted)}, saw ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
