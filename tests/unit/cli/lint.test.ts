/** `lint`: a relay checks an integration and reports what it has noticed. */
import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FORMATTERS } from "../../../src/cli/lint/formats.ts";
import { hasPassed, type LintReport } from "../../../src/cli/lint/report.ts";
import { DIAGNOSTIC_IDS, type DiagnosticId, DIAGNOSTICS } from "../../../src/core/diagnostics/catalogue.ts";
import type { DiagnosticView } from "../../../src/core/view.ts";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { denoPath } from "../../harness/machine.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

const MINUTE = { timeoutMs: 60_000 };

const seen = (what: DiagnosticId, { name = "Chess", detail = "" } = {}): DiagnosticView => ({
  integration: name.toLowerCase(),
  name,
  what,
  ...DIAGNOSTICS[what],
  detail,
  message: '{"command":"x\u001b[31m\u0000"}',
  trace: null,
  count: 2,
  first_at: 1,
  last_at: 2,
});

const reportOf = (diagnostics: readonly DiagnosticView[], more: Partial<LintReport> = {}): LintReport => ({
  version: "1",
  integrations: ["Chess"],
  diagnostics,
  failOn: "error",
  ...more,
});

test("DI20 an integration fails from `--fail-on` on, and a check without any integration fails", () => {
  const [error, warning, info] = [seen("numeric_id"), seen("silent_missing"), seen("startup_late")];
  const verdicts = [[], [info], [warning], [error]].map((diagnostics) =>
    (["error", "warning", "info"] as const).map((failOn) => hasPassed(reportOf(diagnostics, { failOn })))
  );
  check.equal(verdicts, [[true, true, true], [true, true, false], [true, false, false], [false, false, false]]);
  check.equal(hasPassed(reportOf([], { integrations: [] })), false);
});

test("DI21 the text names each integration with its diagnostics, and prints no control character of a message", () => {
  const text = FORMATTERS.text(reportOf([seen("numeric_id"), seen("name_twice", { detail: "move" })], {
    integrations: ["Chess", "Go"],
  }));
  const lines = text.split("\n");
  check.equal([lines[0], lines.at(-1)], ["Chess", "failed: 2 integrations: 1 error, 1 warning, 0 infos"]);
  check.that(lines.includes("  error   numeric_id: Numeric id of a result (2 times)"));
  check.that(lines.includes("          here: move"));
  check.match(text, /Go\n {2}nothing to report/);
  // deno-lint-ignore no-control-regex -- Why: control characters are exactly what must not be there.
  check.that(!/[\u0000-\u0009\u000b-\u001f]/.test(text));
  check.match(FORMATTERS.text(reportOf([], { integrations: [] })), /failed: no integration has connected$/);
});

test("DI21 the JSON has the verdict, the counts and each diagnostic as the API returns it", () => {
  const diagnostics = [seen("numeric_id"), seen("name_twice")];
  check.equal(JSON.parse(FORMATTERS.json(reportOf(diagnostics))), {
    version: "1",
    passed: false,
    fail_on: "error",
    integrations: ["Chess"],
    counts: { error: 1, warning: 1, info: 0 },
    diagnostics: JSON.parse(JSON.stringify(diagnostics)),
  });
});

/** The elements of XML in order, as `<name`, `/name`; throws if they are not nested, or a text contains an unescaped sign. */
function elementsOf(xml: string): readonly string[] {
  const open: string[] = [];
  const found: string[] = [];
  let rest = xml.replace(/^<\?xml [^>]*\?>/, "");
  while (rest !== "") {
    const [tag = "", close = "", name = "", , empty = ""] =
      /^<(\/?)([a-z-]+)((?: [a-z]+="[^"<&]*(?:&#\d+;[^"<&]*)*")*)(\/?)>/.exec(rest) ?? [];
    const text = /^(?:[^<&]|&#\d+;)+/.exec(rest)?.[0] ?? "";
    if (tag === "" && text === "") throw new Error(`not XML: ${rest.slice(0, 60)}`);
    if (close !== "" && open.pop() !== name) throw new Error(`not closed: ${name}`);
    if (tag !== "" && close === "") found.push(name);
    if (tag !== "" && close === "" && empty === "") open.push(name);
    rest = rest.slice((tag || text).length);
  }
  check.equal(open, []);
  return found;
}

test("DI22 the JUnit report has a suite for each integration and a test for each rule, in well-formed XML", () => {
  const name = `<"Chess" & 'Go'>\u0000\ud800`;
  const xml = FORMATTERS.junit(
    reportOf([seen("numeric_id", { name, detail: "<&\u0001>" }), seen("name_twice", { name })], {
      integrations: [name, "Go"],
    }),
  );
  const elements = elementsOf(xml);
  const count = (element: string) => elements.filter((each) => each === element).length;
  check.equal([count("testsuite"), count("testcase")], [2, 2 * DIAGNOSTIC_IDS.length]);
  check.equal([count("failure"), count("system-out")], [1, 1]);
  check.match(xml, new RegExp(`<testsuites name="neuro-relay lint" tests="${2 * DIAGNOSTIC_IDS.length}" failures="1">`));
  check.equal(elementsOf(FORMATTERS.junit(reportOf([], { integrations: [] }))), [
    "testsuites",
    "testsuite",
    "testcase",
    "failure",
  ]);
});

test("DI23 the SARIF report has each rule of the catalogue, and each diagnostic with its level and a location", () => {
  const { runs: [{ tool: { driver }, results }], version } = JSON.parse(
    FORMATTERS.sarif(reportOf([seen("numeric_id"), seen("name_twice"), seen("startup_late")])),
  );
  check.equal([version, driver.rules.length], ["2.1.0", DIAGNOSTIC_IDS.length]);
  check.equal(
    results.map((
      { ruleId, ruleIndex, level, occurrenceCount, locations }: Record<string, unknown[]> & { ruleIndex: number },
    ) => [
      ruleId,
      driver.rules[ruleIndex].id === ruleId,
      level,
      occurrenceCount,
      locations?.length,
    ]),
    [["numeric_id", true, "error", 2, 1], ["name_twice", true, "warning", 2, 1], ["startup_late", true, "note", 2, 1]],
  );
});

/** A game that makes one move. `id` turns the id of its action into that of its result. */
async function playChess(url: string, id: (given: string) => unknown): Promise<void> {
  const client = await JsonClient.open(url);
  const tell = (command: string, data?: object) =>
    client.send({ command, game: "Chess", ...(data !== undefined && { data }) });
  tell("startup");
  tell("actions/register", { actions: [{ name: "move", description: "Moves a piece." }] });
  tell("actions/force", { query: "Your move.", action_names: ["move"] });
  const { data } = await client.next(({ command }) => command === "action");
  tell("action/result", { id: id(data.id), success: true });
  await new Promise((resolve) => setTimeout(resolve, 200)); // Why: what it said last is on its way.
  client.close();
}

const ADDRESS = /connect the integration to (ws:\S+)/;

async function lint(
  place: CliFolder,
  words: readonly string[],
  play: (url: string) => Promise<void>,
  program?: readonly string[],
): Promise<{ readonly status: number | null; readonly out: string }> {
  const child = place.start(["lint", "--port", "0", ...words], {}, program);
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  const status = exitStatus(child);
  await play(ADDRESS.exec(await untilOutput(child, "stderr", ADDRESS))?.[1] ?? "");
  return { status: await status, out };
}

test("DI24 `lint` plays Neuro until the integration has left, prints the report, and exits with 0 or 1", async () => {
  const place = await CliFolder.make();
  const good = await lint(place, [], (url) => playChess(url, (id) => id));
  check.equal([good.status, good.out], [
    0,
    "Chess\n  nothing to report\n\npassed: 1 integration: 0 errors, 0 warnings, 0 infos\n",
  ]);
  const bad = await lint(place, ["--format", "json"], (url) => playChess(url, () => "never"));
  const { passed, diagnostics } = JSON.parse(bad.out);
  check.equal([bad.status, passed, diagnostics.map(({ what }: { what: string }) => what)], [1, false, ["result_unknown"]]);
  const off = await lint(
    place,
    ["--set", "diagnostics.disabled=[result_unknown]", "--format", "junit", "-o", "report.xml"],
    (url) => playChess(url, () => "never"),
  );
  check.equal([off.status, off.out], [0, ""]);
  check.match(await readFile(join(place.folder, "report.xml"), "utf8"), /failures="0"/);
  await place.remove();
}, MINUTE);

test("DI24 `lint` ends after `--for` without an integration, and refuses wrong options", async () => {
  const place = await CliFolder.make();
  const { status, out } = await lint(place, ["--for", "200ms"], async () => {});
  check.equal([status, out], [1, "\nfailed: no integration has connected\n"]);
  const unwritable = await place.run(["lint", "--for", "60s", "--output", "none/report.txt"]);
  check.equal([unwritable.status, unwritable.out], [2, ""]);
  check.match(unwritable.errors, /^none\/report\.txt: cannot be written: /);
  for (
    const words of [["--for", "soon"], ["--for", "0"], ["--format", "html"], ["--fail-on", "never"], [
      "--behaviour",
      "rude",
    ]]
  ) {
    const refused = await place.run(["lint", ...words]);
    check.equal([refused.status, refused.out], [2, ""], words.join(" "));
    check.match(refused.errors, new RegExp(words[0] ?? ""));
  }
  await place.remove();
}, MINUTE);

test("DI25 `lint` plays `lively`, so a game that never forces is checked, or the preset of `--behaviour`", async () => {
  const place = await CliFolder.make();
  const answerOnce = async (url: string): Promise<void> => {
    const client = await JsonClient.open(url);
    client.send({ command: "startup", game: "Chess" });
    client.send({ command: "actions/register", game: "Chess", data: { actions: [{ name: "move", description: "d" }] } });
    const { data } = await client.next(({ command }) => command === "action");
    client.send({ command: "action/result", game: "Chess", data: { id: data.id, success: true, message: data.name } });
    await new Promise((resolve) => setTimeout(resolve, 200)); // Why: what it said last is on its way.
    client.close();
  };
  const soon = ["--format", "json", "--set", "nakurity-backend.behaviour.interval=200ms"];
  check.equal((await lint(place, soon, answerOnce)).status, 0);
  const unknown = ["--behaviour", "hostile", "--set", "nakurity-backend.behaviour.percent.unknown_action=100"];
  const hostile = await lint(place, [...soon, "--fail-on", "warning", ...unknown], answerOnce);
  const { diagnostics } = JSON.parse(hostile.out);
  check.equal([hostile.status, diagnostics.map(({ what }: { what: string }) => what)], [1, ["unknown_action_accepted"]]);
  await place.remove();
}, MINUTE);

test("DI24 `lint` does the same on Deno", async () => {
  const place = await CliFolder.make();
  const deno = [denoPath(), "run", "-A", "--no-check", "--node-modules-dir=manual"];
  const bad = await lint(place, ["--format", "json"], (url) => playChess(url, () => "never"), deno);
  check.equal([bad.status, JSON.parse(bad.out).counts], [1, { error: 1, warning: 0, info: 0 }]);
  await place.remove();
}, MINUTE);
