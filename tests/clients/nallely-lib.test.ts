/** What `bun run build:lib` makes is loaded by Node, and plays in a session. */
import { test } from "#runner";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../harness/machine.ts";
import { check } from "../harness/check.ts";
import { openSession } from "../harness/nallely-server.ts";

const PROGRAM = `
  const [lib, url, trevorUrl] = process.argv.slice(1);
  const { Neuron, Trevor, proxyOf } = await import(lib);
  const trevor = Trevor.open({ url: trevorUrl });
  const neuron = Neuron.open({ name: "fromnode", url, parameters: { out: { direction: "out" }, back: { direction: "in" } } });
  await neuron.ready({ timeoutMs: 5000 });
  await trevor.waitFor((state) => proxyOf(state, "fromnode"));
  await trevor.connect(await trevor.pathOf("fromnode", "out"), await trevor.pathOf("fromnode", "back"), false);
  const values = neuron.values("back");
  neuron.send("out", 4.5);
  console.log("came back:", (await values.next()).value);
  console.log("gone:", await neuron.unregister(trevor));
  await trevor.close();`;

test("NL35 the built library plays in a session from Node", async () => {
  const node = Bun.which("node");
  if (node === null) return; // A machine without Node has nothing to show here.
  await using session = openSession();
  const folder = await mkdtemp(join(tmpdir(), "nallely-"));
  try {
    const built = await Bun.build({
      entrypoints: [join(ROOT, "src/clients/nallely.ts")],
      outdir: folder,
      target: "browser",
    });
    check.that(built.success);
    const words = ["--no-warnings", "--experimental-websocket", "--input-type=module", "-e", PROGRAM];
    const child = spawn(node, [...words, join(folder, "nallely.js"), session.busUrl, session.trevorUrl]);
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
    await new Promise((resolve) => child.on("close", resolve));
    check.equal(printed, "came back: 4.5\ngone: true\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});
