/** Runs the command line as a separate process in a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../../harness/machine.ts";

export const MAIN: string = join(ROOT, "src/cli/main.ts");

export interface CliResult {
  readonly status: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A temporary folder in which the command line runs. */
export class CliFolder {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(files: Readonly<Record<string, string>> = {}): Promise<CliFolder> {
    const place = new CliFolder(await mkdtemp(join(tmpdir(), "neuro-relay-cli-")));
    for (const [name, text] of Object.entries(files)) await place.write(name, text);
    return place;
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, name), text);
  }

  /** `program` replaces this runtime as the executable. */
  start(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    [program, ...flags]: readonly string[] = [process.execPath],
  ): ChildProcess {
    const { PATH = "" } = process.env;
    // Why this home: a queue without a path is below the user's home.
    const env = { PATH, HOME: this.folder, ...environment };
    return spawn(program ?? "", [...flags, MAIN, ...words], { cwd: this.folder, env });
  }

  /** Runs a command until it exits. */
  run(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    program: readonly string[] = [process.execPath],
  ): Promise<CliResult> {
    return new Promise((resolve, reject) => {
      const child = this.start(words, environment, program);
      const said = { out: "", errors: "" };
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (said.out += text));
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.errors += text));
      child.on("error", reject).on("close", (status) => resolve({ status, ...said }));
    });
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Resolves with a stream's output once it matches; rejects if the process exits before that. */
export function untilOutput(child: ChildProcess, stream: "stdout" | "stderr", words: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (words.test(said)) resolve(said);
    });
    child.on("close", () => reject(new Error(`it exited without printing ${words}: ${said}`)));
  });
}

/** Resolves with the exit status. */
export function exitStatus(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on("close", resolve));
}
