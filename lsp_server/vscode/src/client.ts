/** Starts, stops and talks to the server. */
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type ErrorHandler,
  type LanguageClientOptions,
} from "vscode-languageclient/node";

import { Crashes } from "./crashes.ts";
import { DRAFTS } from "./drafts.ts";
import { message, type Found, type Search } from "./find.ts";
import { STATUS, type ServerCommand, type Status } from "./protocol.ts";
import { logLevel, workspaceDiagnostics } from "./settings.ts";
import type { ServerState } from "./text.ts";

/** Shows what a server command returned, when an action or a lens has called it. */
export type Present = (command: string, argument: unknown, result: unknown) => Promise<void>;

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ServerState>();
  private readonly told = new vscode.EventEmitter<Status>();
  private running: LanguageClient | undefined;
  private current: ServerState = { kind: "stopped" };
  /** Starts and stops happen one after the other, in the order asked for. */
  private queue: Promise<void> = Promise.resolve();

  readonly onDidChangeState = this.changed.event;
  readonly onDidTellStatus = this.told.event;
  /** What was looked at when the server was last searched for. */
  search: Search = { rejected: [] };
  present: Present = () => Promise.resolve();

  constructor(
    private readonly output: vscode.LogOutputChannel,
    private readonly locate: () => Promise<Search>,
  ) {}

  get state(): ServerState {
    return this.current;
  }

  set state(state: ServerState) {
    this.current = state;
    this.changed.fire(state);
  }

  get client(): LanguageClient | undefined {
    return this.running;
  }

  /** Find the server and start it anew. Never rejects: `state` says how it went. */
  restart(): Promise<void> {
    return this.enqueue(async () => {
      await this.end();
      this.state = { kind: "starting" };
      this.search = await this.locate();
      for (const { origin, command, reason } of this.search.rejected) {
        this.output.info(`Not used: ${command} (${origin}): ${reason}`);
      }
      if (!this.search.found) {
        this.state = { kind: "missing" };
        return;
      }
      await this.begin(this.search.found);
    });
  }

  /** Settled when what was asked for so far is done: the server runs, or is known not to. */
  get settled(): Promise<void> {
    return this.queue;
  }

  stop(): Promise<void> {
    return this.enqueue(async () => {
      await this.end();
      this.state = { kind: "stopped" };
    });
  }

  /** Run one of the server's commands. Rejects when the server does not run, or refuses. */
  async send<T>(
    command: ServerCommand,
    argument: object,
    token?: vscode.CancellationToken,
  ): Promise<T> {
    if (!this.running || this.state.kind !== "running") {
      throw new Error("The onbrand server does not run");
    }
    const params = { command, arguments: [argument] };
    return (await this.running.sendRequest(ExecuteCommandRequest.type, params, token)) as T;
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
    this.told.dispose();
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(task).catch((error: unknown) => {
      this.fail(message(error));
    });
    return this.queue;
  }

  private async begin(found: Found): Promise<void> {
    const { command, args, origin, version } = found;
    this.output.info(`Starting onbrand ${version}: ${command} (${origin})`);
    const client = new Client(
      "onbrand",
      "onbrand",
      {
        command,
        args: [...args, "lsp", "--stdio", "--log-level", logLevel()],
        options: { cwd: homedir() },
      },
      this.options(),
    );
    client.onNotification(STATUS, (status: Status) => {
      this.told.fire(status);
    });
    client.onDidChangeState(({ newState }) => {
      // Another client may be in its place when an old one's last words come.
      if (client !== this.running) return;
      if (newState === State.Starting) this.state = { kind: "starting" };
      if (newState === State.Running) this.state = { kind: "running" };
      if (newState === State.StartFailed) this.fail("it did not start again after a crash");
    });
    this.running = client;
    try {
      await client.start();
    } catch (error) {
      this.running = undefined;
      throw new Error(`it did not start (${message(error)})`, { cause: error });
    }
  }

  private async end(): Promise<void> {
    const client = this.running;
    this.running = undefined;
    // Rejects for a server that is dead already, or does not answer; it is ended all the same.
    await client?.dispose().catch(() => undefined);
  }

  private fail(reason: string): void {
    this.output.error(`onbrand does not run: ${reason}`);
    this.state = { kind: "failed", message: reason };
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: DRAFTS,
      outputChannel: this.output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: {
        status: true,
        clientCommands: true,
        workspaceDiagnostics: workspaceDiagnostics(),
        trusted: vscode.workspace.isTrusted,
      },
      // `start` rejects as well, and is where it is told.
      initializationFailedHandler: () => false,
      errorHandler: this.errorHandler(),
      stdioOptions: {
        stdout: () => undefined,
        // The server's log; it says itself what is an error.
        stderr: (stream, output) => {
          stream.on("data", (chunk: Buffer) => {
            output.info(chunk.toString("utf8").trimEnd());
          });
        },
      },
      middleware: {
        // The client makes every server command a VS Code command, so that code actions and lenses
        // call them as they stand. What comes back is shown here; the panel and the extension's
        // own commands use `send`, and show it themselves. (Without this feature of the client,
        // every code action and lens would have to be given another command on its way in.)
        executeCommand: async (command, args, next) => {
          try {
            const result: unknown = await next(command, args);
            await this.present(command, (args as unknown[])[0], result);
            return result;
          } catch (error) {
            if (error instanceof vscode.CancellationError) return undefined;
            void vscode.window.showErrorMessage(`onbrand: ${message(error)}`);
            return undefined;
          }
        },
      },
    };
  }

  private errorHandler(): ErrorHandler {
    const crashes = new Crashes();
    return {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        // It ended before it had answered once: it would do so again.
        if (this.state.kind !== "running")
          return { action: CloseAction.DoNotRestart, handled: true };
        if (crashes.record()) return { action: CloseAction.Restart, handled: true };
        this.fail("it crashed five times in three minutes");
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }
}

/** The client would report one failure in several messages; here `Server.state` does, once. */
class Client extends LanguageClient {
  override error(text: string, data?: unknown): void {
    super.error(text, data, false);
  }
}
