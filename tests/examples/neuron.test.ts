/** The example neuron works in a session. */
import { test } from "#runner";
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { Neuron, proxyOf, Trevor } from "../../src/clients/nallely.ts";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { openSession } from "../harness/nallely-server.ts";

test("NL35 NL37 the example neuron receives a pitch and sends its harmony, also after a reset", async () => {
  await using session = openSession();
  const example = spawn(process.execPath, [join(ROOT, "examples/neuron.ts"), session.busUrl, session.trevorUrl]);
  const ended = new Promise((resolve) => example.on("close", resolve));
  try {
    await using trevor = Trevor.open({ url: session.trevorUrl });
    await using player = Neuron.open({
      name: "player",
      url: session.busUrl,
      parameters: { pitch: { direction: "out" }, harmony: { direction: "in" } },
    });
    /** Sends a pitch and returns the harmony. Why `before`: after a reset each neuron repeats its last value. */
    const play = async (pitch: number, before?: number): Promise<number | undefined> => {
      await trevor.waitFor((state) => ["harmonizer", "player"].every((name) => proxyOf(state, name)), {
        timeoutMs: 10_000,
      });
      await trevor.connect(await trevor.pathOf("player", "pitch"), await trevor.pathOf("harmonizer", "pitch"), false);
      await trevor.connect(await trevor.pathOf("harmonizer", "harmony"), await trevor.pathOf("player", "harmony"), false);
      const harmonies = player.values("harmony");
      player.send("pitch", pitch);
      for await (const value of harmonies) if (value !== before) return value;
      return undefined;
    };
    const fifth = await play(60);
    check.equal(fifth, 67);
    await trevor.resetAll();
    check.equal(await play(125, fifth), 127);
    await player.unregister(trevor);
  } finally {
    example.kill("SIGTERM");
    await ended;
  }
});
