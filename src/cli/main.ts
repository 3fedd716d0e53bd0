#!/usr/bin/env bun
/** Where the program begins: on Bun with the sources made one file beforehand, where that can be; elsewhere with each of them. */
import { versions } from "node:process";

const bundled = "bun" in versions ? await (await import("./bundle.ts")).bundledProgram() : undefined;
// Why not in one: Deno lets a module in whose name stands here, and asks for the right to read any other.
if (bundled === undefined) await import("./program.ts");
else await import(bundled);
