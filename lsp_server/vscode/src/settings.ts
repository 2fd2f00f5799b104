/** The settings that the extension itself acts on; the server asks for the others by itself. */
import * as vscode from "vscode";

export const SECTION = "onbrand";

const section = () => vscode.workspace.getConfiguration(SECTION);

export const serverPath = (): string => section().get("server.path", "").trim();
/** What pip installs; empty for the server that comes with the extension. */
export const serverPackage = (): string => section().get("server.package", "").trim();
export const logLevel = (): string => section().get("server.logLevel", "warning");
export const workspaceDiagnostics = (): boolean => section().get("workspaceDiagnostics", false);

/**
 * Return the settings that a running server was started with, to compare. (An event that says that
 * a setting is affected comes as well when it is not, say when a workspace becomes trusted.)
 */
export const startedWith = (): string =>
  JSON.stringify([serverPath(), logLevel(), workspaceDiagnostics()]);
