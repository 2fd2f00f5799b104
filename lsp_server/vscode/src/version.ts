/** Versions as Python packages have them; only the release numbers count. */

export function parseVersion(text: string): readonly number[] | undefined {
  const numbers = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return numbers?.slice(1).map((part: string | undefined) => Number(part ?? 0));
}

/** Whether `version` is `minimum` or newer. A development version of a release counts as it. */
export function atLeast(version: string, minimum: string): boolean {
  const have = parseVersion(version);
  const want = parseVersion(minimum);
  if (!have || !want) return false;
  const differ = want.findIndex((number, place) => number !== have[place]);
  return differ === -1 || (have[differ] ?? 0) > (want[differ] ?? 0);
}
