/** Child processes that end: by themselves, by a time limit, or because somebody cancelled. */
import { spawn, type ChildProcess } from "node:child_process";

export interface Outcome {
  /** Exit code; null when the process was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Milliseconds until the process is ended. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told every line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

export type Run = (
  command: string,
  args: readonly string[],
  options?: RunOptions,
) => Promise<Outcome>;

const OUTPUT_LIMIT = 1_000_000;

/** Run a program without a shell and collect what it prints. Rejects when it cannot be started. */
export const run: Run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const child = spawn(command, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      // Its own process group: pip starts others, which have to end with it.
      detached: process.platform !== "win32",
    });
    let failure: Error | undefined;
    const stop = (reason: Error) => {
      failure ??= reason;
      endTree(child);
    };
    const abort = () => {
      stop(new Error("cancelled"));
    };
    options.signal?.addEventListener("abort", abort, { once: true });
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(() => {
            stop(new Error(`no answer in ${(options.timeout ?? 0) / 1000} s`));
          }, options.timeout);

    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout = (stdout + chunk).slice(-OUTPUT_LIMIT);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr = (stderr + chunk).slice(-OUTPUT_LIMIT);
    });
    if (options.onLine) byLine(child.stdout, options.onLine);

    const settle = (act: () => void) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      act();
    };
    child.on("error", (error) => {
      settle(() => {
        reject(error);
      });
    });
    child.on("close", (code) => {
      settle(() => {
        if (failure) reject(failure);
        else resolve({ code, stdout, stderr });
      });
    });
  });

function byLine(stream: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let rest = "";
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? "";
    lines.forEach(tell);
  });
}

function endTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended in the meantime.
  }
}
