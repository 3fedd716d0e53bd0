/** The formats of the report: for people, for programs, and for the services that run integrations' tests. */
import { DIAGNOSTIC_IDS, DIAGNOSTICS, SEVERITIES, type Severity } from "../../core/diagnostics/catalogue.ts";
import { printable } from "../../core/json.ts";
import type { DiagnosticView } from "../../core/view.ts";
import { adviceOf, failuresOf, hasPassed, integrationOf, type LintReport } from "./report.ts";

export const FORMATS = ["text", "json", "junit", "sarif"] as const;
export type LintFormat = (typeof FORMATS)[number];

/** The whole report as a text without a line break at its end. */
export const FORMATTERS: Readonly<Record<LintFormat, (report: LintReport) => string>> = {
  text: textReport,
  json: jsonReport,
  junit: junitReport,
  sarif: sarifReport,
};

const quantity = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
const countOf = (diagnostics: readonly DiagnosticView[], severity: Severity): number =>
  diagnostics.filter((each) => each.severity === severity).length;

function textReport(report: LintReport): string {
  const { integrations, diagnostics } = report;
  const lines = diagnostics.flatMap((diagnostic, at) => {
    const name = integrationOf(diagnostic);
    const isFirst = at === 0 || integrationOf(diagnostics[at - 1] as DiagnosticView) !== name;
    return [...(isFirst ? [printable(name)] : []), ...linesOf(diagnostic)];
  });
  const clean = integrations.filter((name) => !diagnostics.some((each) => integrationOf(each) === name));
  const summary = SEVERITIES.map((severity) => quantity(countOf(diagnostics, severity), severity)).join(", ");
  const checked = integrations.length === 0
    ? "no integration has connected"
    : `${quantity(integrations.length, "integration")}: ${summary}`;
  return [
    ...lines,
    ...clean.map((name) => `${printable(name)}\n  nothing to report`),
    "",
    `${hasPassed(report) ? "passed" : "failed"}: ${checked}`,
  ].join("\n");
}

function linesOf(diagnostic: DiagnosticView): readonly string[] {
  const { severity, what, title, count, rule, fix, detail, message, link } = diagnostic;
  const times = count === 1 ? "" : ` (${count} times)`;
  return [
    `  ${severity.padEnd(7)} ${what}: ${title}${times}`,
    `          rule: ${rule}`,
    `          fix: ${fix}`,
    ...(detail === "" ? [] : [`          here: ${printable(detail)}`]),
    ...(message === "" ? [] : [`          message: ${printable(message)}`]),
    `          ${link}`,
  ];
}

function jsonReport(report: LintReport): string {
  const { version, integrations, diagnostics, failOn } = report;
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, countOf(diagnostics, severity)]));
  return JSON.stringify(
    { version, passed: hasPassed(report), fail_on: failOn, integrations, counts, diagnostics },
    null,
    2,
  );
}

/** Characters that XML 1.0 does not allow, with unpaired surrogates. */
// deno-lint-ignore no-control-regex -- Why: control characters are exactly what is removed.
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const xml = (text: string): string =>
  text.toWellFormed().replace(NOT_XML, "\ufffd").replace(/[&<>"'\n\r\t]/g, (unit) => `&#${unit.charCodeAt(0)};`);

/** A suite for each integration, with a test for each rule: those that are not broken have passed. */
function junitReport(report: LintReport): string {
  const failures = new Set(failuresOf(report));
  const names = [...new Set([...report.integrations, ...report.diagnostics.map(integrationOf)])];
  const suites = names.map((name) => {
    const own = report.diagnostics.filter((each) => integrationOf(each) === name);
    const failed = own.filter((each) => failures.has(each)).length;
    const cases = DIAGNOSTIC_IDS.map((id) => testCase(name, id, own.find(({ what }) => what === id), failures));
    return [
      `  <testsuite name="${xml(name)}" tests="${DIAGNOSTIC_IDS.length}" failures="${failed}" errors="0" skipped="0">`,
      ...cases,
      "  </testsuite>",
    ].join("\n");
  });
  const [tests, failed] = [names.length * DIAGNOSTIC_IDS.length, failures.size];
  const nobody = '  <testsuite name="neuro-relay lint" tests="1" failures="1" errors="0" skipped="0">\n' +
    '    <testcase classname="neuro-relay lint" name="connected"><failure message="no integration has connected"/></testcase>\n' +
    "  </testsuite>";
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    names.length === 0
      ? '<testsuites name="neuro-relay lint" tests="1" failures="1">'
      : `<testsuites name="neuro-relay lint" tests="${tests}" failures="${failed}">`,
    ...(names.length === 0 ? [nobody] : suites),
    "</testsuites>",
  ].join("\n");
}

function testCase(
  name: string,
  id: string,
  found: DiagnosticView | undefined,
  failures: ReadonlySet<DiagnosticView>,
): string {
  const open = `    <testcase classname="${xml(name)}" name="${id}"`;
  if (found === undefined) return `${open}/>`;
  const { title, rule, severity, count, message, link } = found;
  const details = xml(
    `${severity}, ${quantity(count, "occurrence")}\n${rule}\n${adviceOf(found)}\n${message}\n${link}`,
  );
  const content = failures.has(found)
    ? `<failure type="${severity}" message="${xml(title)}">${details}</failure>`
    : `<system-out>${details}</system-out>`;
  return `${open}>${content}</testcase>`;
}

/** The levels of SARIF. */
const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  error: "error",
  warning: "warning",
  info: "note",
};

const DOCUMENTED_AT = "README.md";

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0. */
function sarifReport({ version, diagnostics }: LintReport): string {
  const rules = DIAGNOSTIC_IDS.map((id) => {
    const { title, rule, fix, link, severity } = DIAGNOSTICS[id];
    return {
      id,
      shortDescription: { text: title },
      fullDescription: { text: rule },
      help: { text: fix },
      helpUri: link,
      defaultConfiguration: { level: LEVELS[severity] },
    };
  });
  const results = diagnostics.map((diagnostic) => {
    const { what, severity, title, message, count } = diagnostic;
    const name = integrationOf(diagnostic);
    return {
      ruleId: what,
      ruleIndex: DIAGNOSTIC_IDS.indexOf(what),
      level: LEVELS[severity],
      message: { text: `${name}: ${title}: ${adviceOf(diagnostic)}${message === "" ? "" : `: ${message}`}` },
      occurrenceCount: count,
      // Why a file: a message has none, and some services reject a result without one.
      locations: [{
        physicalLocation: { artifactLocation: { uri: DOCUMENTED_AT }, region: { startLine: 1 } },
        logicalLocations: [{ name, kind: "module" }],
      }],
      partialFingerprints: { "neuroRelay/v1": `${diagnostic.integration ?? ""}.${what}` },
    };
  });
  const driver = { name: "neuro-relay lint", version, informationUri: "https://github.com/VedalAI/neuro-sdk", rules };
  return JSON.stringify({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, results }],
  });
}
