/** The interpreter that the Python extension has selected, through its public API. */
import * as vscode from "vscode";

/** The part of that API which is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(environment: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

const EXTENSION = "ms-python.python";

/**
 * Return the selected interpreter. In a workspace that is not trusted there is none: it may be a
 * program that came with the workspace.
 */
export async function selectedInterpreter(
  resource: vscode.Uri | undefined,
): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) return undefined;
  const environments = (await api())?.environments;
  if (!environments) return undefined;
  try {
    const active = environments.getActiveEnvironmentPath(resource);
    return (await environments.resolveEnvironment(active))?.executable.uri?.fsPath;
  } catch {
    return undefined; // An interpreter that is gone, or an API that has changed.
  }
}

/** Call back when another interpreter is selected. */
export async function onDidSelectInterpreter(act: () => void): Promise<vscode.Disposable> {
  const environments = (await api())?.environments;
  return (
    environments?.onDidChangeActiveEnvironmentPath(act) ?? new vscode.Disposable(() => undefined)
  );
}

async function api(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>(EXTENSION);
  try {
    return await extension?.activate();
  } catch {
    return undefined;
  }
}
