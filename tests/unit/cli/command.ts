/** Runs the command line as a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../../harness/machine.ts";

export const MAIN: string = join(ROOT, "src/cli/main.ts");

export interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A folder, with a configuration in it if wanted. */
export class Place {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(files: Readonly<Record<string, string>> = {}): Promise<Place> {
    const place = new Place(await mkdtemp(join(tmpdir(), "neuro-relay-cli-")));
    for (const [name, text] of Object.entries(files)) await place.write(name, text);
    return place;
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, name), text);
  }

  /** `program` is what runs it, where that is not this runtime. */
  start(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    [program, ...flags]: readonly string[] = [process.execPath],
  ): ChildProcess {
    const { PATH = "", HOME = "" } = process.env;
    const env = { PATH, HOME, ...environment };
    return spawn(program ?? "", [...flags, MAIN, ...words], { cwd: this.folder, env });
  }

  /** Runs a command to its end. */
  run(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    program: readonly string[] = [process.execPath],
  ): Promise<Outcome> {
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

/** Resolves once one of a process's streams has said it. */
export function until(child: ChildProcess, stream: "stdout" | "stderr", words: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (words.test(said)) resolve(said);
    });
    child.on("close", () => reject(new Error(`it ended without saying ${words}: ${said}`)));
  });
}

/** Resolves with its exit status. */
export function end(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on("close", resolve));
}
