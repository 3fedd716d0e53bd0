#!/usr/bin/env bun
/** Where the program begins: on Bun with the sources made one file beforehand, where that can be; elsewhere with each of them. */
import { versions } from "node:process";

const bundled = "bun" in versions ? await (await import("./bundle.ts")).bundledProgram() : undefined;
await import(bundled ?? "./program.ts");
