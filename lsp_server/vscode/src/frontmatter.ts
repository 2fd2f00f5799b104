/** Writes `brand:` into the front matter of a draft, by the rules that the server reads it by. */

/** Replace `length` UTF-16 units at `offset` by `text`. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

const YAML =
  /^\ufeff?---[ \t]*(?:\r\n|\n|\r)(?=[ \t]*\S)([^]*?)(?<![^\r\n])(?:---|\.\.\.)[ \t]*(?![^\r\n])/;
const TOML = /^\ufeff?\+\+\+[ \t]*(?:\r\n|\n|\r)([^]*?)(?<![^\r\n])\+\+\+[ \t]*(?![^\r\n])/;
const YAML_BRAND = /(?<![^\r\n])(?:brand|"brand"|'brand')[ \t]*:[^\r\n]*/;
const TOML_BRAND = /(?<![^\r\n])(?:brand|"brand"|'brand')[ \t]*=[^\r\n]*/;

/** Return the edit after which the front matter names `brand`. */
export function nameBrand(source: string, brand: string, newline: string): Edit {
  const yaml = YAML.exec(source);
  if (yaml) return inside(source, yaml, YAML_BRAND, `brand: ${yamlScalar(brand)}`, newline);
  const toml = TOML.exec(source);
  if (toml) {
    // A key below a [table] would be that table's: ours goes to the top.
    return inside(source, toml, TOML_BRAND, `brand = ${JSON.stringify(brand)}`, newline);
  }
  const offset = source.startsWith("\ufeff") ? 1 : 0;
  const lines = ["---", `brand: ${yamlScalar(brand)}`, "---", "", ""];
  return { offset, length: 0, text: lines.join(newline) };
}

function inside(
  source: string,
  matter: RegExpExecArray,
  key: RegExp,
  line: string,
  newline: string,
): Edit {
  const body = matter[1] ?? "";
  const start = bodyStart(source);
  const top = /(?<![^\r\n])[ \t]*\[/.exec(body)?.index ?? body.length;
  const present = key.exec(key === TOML_BRAND ? body.slice(0, top) : body);
  if (present) return { offset: start + present.index, length: present[0].length, text: line };
  return { offset: start, length: 0, text: line + newline };
}

/** The body starts after the first line. */
const bodyStart = (source: string): number =>
  /^[^\r\n]*(?:\r\n|\n|\r)/.exec(source)?.[0].length ?? 0;

const yamlScalar = (brand: string): string =>
  /^[A-Za-z][\w-]*$/.test(brand) && !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(brand)
    ? brand
    : brand.includes('"')
      ? `'${brand}'`
      : `"${brand}"`;
