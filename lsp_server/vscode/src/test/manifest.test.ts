import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { Command } from "../names.ts";
import { Server } from "../protocol.ts";

const root = path.join(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  readonly icon: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly menus: Record<
      string,
      readonly { readonly command?: string; readonly when?: string }[]
    >;
    readonly configuration: readonly {
      readonly properties: Record<string, { readonly scope: string }>;
    }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly { readonly media: Record<string, string> }[];
    }[];
  };
};
const { commands, menus, configuration, walkthroughs } = manifest.contributes;
const settings = Object.assign({}, ...configuration.map(({ properties }) => properties)) as Record<
  string,
  { readonly scope: string }
>;

test("the commands of the manifest are those of the code", () => {
  assert.deepEqual(commands.map(({ command }) => command).sort(), Object.values(Command).sort());
});

test("no command is both the server's and the extension's", () => {
  const own = new Set<string>(Object.values(Command));
  assert.deepEqual(
    Object.values(Server).filter((command) => own.has(command)),
    [],
  );
});

test("menus, texts and media name what exists", () => {
  const known = new Set<string>(Object.values(Command));
  for (const item of Object.values(menus).flat()) {
    if (item.command) assert.ok(known.has(item.command), item.command);
  }
  const text = JSON.stringify(manifest);
  for (const [, command] of text.matchAll(/command:(onbrand\.\w+)/g)) {
    assert.ok(command !== undefined && known.has(command), command);
  }
  const media = walkthroughs.flatMap(({ steps }) => steps.map((step) => step.media));
  const files = media.map((entry) => entry.markdown ?? entry.svg ?? "");
  for (const file of [manifest.icon, ...files]) assert.ok(existsSync(path.join(root, file)), file);
});

test("a workspace that is not trusted chooses no programs, encoders or voices", () => {
  const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
  const executable = [
    "onbrand.server.path",
    "onbrand.server.package",
    "onbrand.encoder",
    "onbrand.voices",
  ];
  for (const name of executable) {
    // A machine's setting cannot be set by any workspace.
    assert.ok(restricted.has(name) || settings[name]?.scope === "machine", name);
  }
  for (const name of restricted) assert.ok(name in settings, name);
});

test("nothing is sent anywhere", () => {
  const bundled = Object.keys(
    (JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { dependencies: object })
      .dependencies,
  );
  assert.deepEqual(bundled, ["vscode-languageclient"]);
});

test("no module imports itself in a circle, types included", () => {
  const source = path.join(root, "src");
  const imports = new Map(
    readdirSync(source)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => {
        const text = readFileSync(path.join(source, file), "utf8");
        return [file, [...text.matchAll(/ from "\.\/([\w.]+)"/g)].map(([, name]) => name ?? "")];
      }),
  );
  assert.ok(imports.get("extension.ts")?.includes("drafts.ts"), "no import is found any more");
  const reached = (file: string, seen = new Set<string>()): Set<string> => {
    for (const next of imports.get(file) ?? []) if (!seen.has(next)) reached(next, seen.add(next));
    return seen;
  };
  const circle = [...imports.keys()].filter((file) => reached(file).has(file));
  assert.deepEqual(circle, []);
});
