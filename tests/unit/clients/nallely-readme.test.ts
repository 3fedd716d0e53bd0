/** The examples of the README, run against a fake session. */
import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";
import { openSession } from "../../harness/nallely-server.ts";

const CLIENT = join(ROOT, "src/clients/nallely.ts");

/** What the examples take for granted: a neuron named `synth`, and functions of the reader's own. */
const PRELUDE = `
  import { devicePath, devicesOf, Neuron, proxyOf, queue, Trevor } from ${JSON.stringify(CLIENT)};
  process.exitCode = 1;
  const finish = () => { console.log("done"); process.exit(failed ? 1 : 0); };
  let failed = false;
  console.assert = (holds) => { if (!holds) failed = true; };
`;
const NEURON_PRELUDE = `
  const feeder = Trevor.open({ url: "TREVOR" });
  const setGain = () => {}, draw = () => finish(), drawAll = () => finish();
  void feeder.waitFor((state) => proxyOf(state, "synth") !== undefined).then(async () => {
    for (let value = 0;; value++) await feeder.set(feeder.busId, "synth_gain", value);
  });
`;
const TREVOR_PRELUDE = `
  const synth = Neuron.open({ name: "synth", url: "BUS", parameters: { note: {} } });
  await synth.ready();
`;

test("NL35b every code block of the README runs", async () => {
  const readme = await readFile(join(ROOT, "src/services/nallely/README.md"), "utf8");
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code.replace(/^import .*$/m, ""));
  check.equal(blocks.length, 3);
  const [neuron = "", trevor = "", checks = ""] = blocks;
  for (const code of [NEURON_PRELUDE + neuron, TREVOR_PRELUDE + trevor, checks]) {
    await using session = openSession();
    const program = (PRELUDE + code + "finish();")
      .replaceAll("ws://127.0.0.1:6789", session.busUrl).replaceAll("ws://127.0.0.1:6788", session.trevorUrl)
      .replaceAll("BUS", session.busUrl).replaceAll("TREVOR", session.trevorUrl)
      .replace("Trevor.open()", `Trevor.open({ url: "${session.trevorUrl}" })`)
      .replace('name: "test",', `name: "test", url: "${session.busUrl}",`);
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
    const timer = setTimeout(() => child.kill(), 15_000);
    const [said, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    clearTimeout(timer);
    check.equal([said, await child.exited], ["done\n", 0], errors);
  }
}, { timeoutMs: 60_000 });
