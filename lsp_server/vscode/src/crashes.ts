/** Counts crashes: a server that keeps crashing is not started again and again. */

const WINDOW = 3 * 60 * 1000;
const LIMIT = 4;

export class Crashes {
  private times: number[] = [];

  /** Record one and return whether the server may be started again. */
  record(now = Date.now()): boolean {
    this.times = [...this.times.filter((time) => now - time < WINDOW), now];
    return this.times.length <= LIMIT;
  }
}
