/**
 * `bun run gallery FOLDER [NAME...]`: pictures of the page in every state, at every width and in both themes, for a person who looks at them.
 * With names, only of these states.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { violations } from "./axe.ts";
import { byName, type DashboardFixture, integrationRow, Upstream, withDashboard } from "./fixture.ts";
import { approval, change, crowd, lively, operate } from "./scenes.ts";

const SIZES: readonly (readonly [width: number, height: number])[] = [
  [360, 740],
  [390, 844],
  [820, 1180],
  [1440, 900],
  [1920, 1080],
  [2560, 1440],
];

/** The widths at which axe-core looks, too. */
const AXE_WIDTHS: ReadonlySet<number> = new Set([390, 1440]);

const THEMES = ["light", "dark"] as const;

class Gallery {
  readonly #folder: string;
  readonly #names: ReadonlySet<string>;
  readonly #widths: ReadonlySet<number>;

  constructor(folder: string, given: readonly string[]) {
    this.#folder = folder;
    this.#widths = new Set(given.map(Number).filter((width) => width > 0));
    this.#names = new Set(given.filter((name) => !(Number(name) > 0)));
    mkdirSync(folder, { recursive: true });
  }

  wants(...names: readonly string[]): boolean {
    return this.#names.size === 0 || names.some((name) => this.#names.has(name));
  }

  /** One state at all sizes. */
  async add(page: Page, name: string): Promise<void> {
    if (!this.wants(name)) return;
    await page.getByText("Loading…").first().waitFor({ state: "hidden" });
    await page.locator(".left").evaluateAll(([left]) => left?.scrollTo(0, 0));
    for (const [width, height] of SIZES) {
      if (this.#widths.size > 0 && !this.#widths.has(width)) continue;
      await page.setViewportSize({ width, height });
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.screenshot({ path: join(this.#folder, `${name}-${width}-${colorScheme}.png`) });
        if (!AXE_WIDTHS.has(width)) continue;
        for (const found of await violations(page)) process.stdout.write(`${name} at ${width}, ${colorScheme}: ${found}\n`);
      }
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wider > 0) process.stdout.write(`${name} at ${width}: ${wider} px wider than the screen\n`);
    }
    process.stdout.write(`${name}\n`);
  }
}

const PANELS = ["now", "integrations", "feed", "queue", "brain", "nallely", "relays", "traces", "transcript", "audit"];
const MORE_PANELS = ["tokens", "tools"];

/** The page at a panel. Why by the address: at some sizes a tab is out of sight. */
async function show(page: Page, fixture: DashboardFixture, panel: string): Promise<void> {
  await page.goto(`${fixture.origin}/#/${panel}`);
  await page.locator(`.inside[data-panel=${panel.split("/")[0]}]`).waitFor();
}

async function emptyRelay(gallery: Gallery): Promise<void> {
  await withDashboard(async (fixture) => {
    const page = await fixture.newPage();
    await page.goto(fixture.origin);
    await gallery.add(page, "sign-in");
    await page.goto(fixture.relay.urls.web);
    await page.locator(".empty-title", { hasText: "No integrations yet" }).waitFor({ state: "attached" });
    await gallery.add(page, "empty");
  });
}

async function livelyRelay(gallery: Gallery, fixture: DashboardFixture, neuro: Upstream): Promise<void> {
  const page = await fixture.open();
  await lively(fixture, neuro);
  await byName(page, "force").nth(1).waitFor();
  await gallery.add(page, "lively");
  await operate(fixture);
  await show(page, fixture, "queue");
  await byName(page, "dead-letter").nth(2).waitFor();
  for (const panel of [...PANELS, ...MORE_PANELS]) {
    await show(page, fixture, panel);
    await gallery.add(page, panel);
  }
  await show(page, fixture, "traces");
  await byName(page, "trace").first().getByText("Show").click();
  await gallery.add(page, "trace");
  await show(page, fixture, "integration/chess");
  await gallery.add(page, "integration");
  await page.setViewportSize({ width: 1440, height: 900 });
  await show(page, fixture, "now");
  await byName(integrationRow(page, "Chess"), "integration-head").click();
  await byName(page, "open-form").first().click();
  await gallery.add(page, "details");
  await byName(integrationRow(page, "Chess"), "integration-head").click();
  await dialogs(gallery, page);
  await obs(gallery, fixture);
  await decisions(gallery, page, fixture, neuro);
}

async function dialogs(gallery: Gallery, page: Page): Promise<void> {
  for (const [name, key] of [["connect", "c"], ["help", "?"]] as const) {
    await page.keyboard.press(key);
    await page.locator("dialog[open]").waitFor();
    await gallery.add(page, name);
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
  }
}

async function obs(gallery: Gallery, fixture: DashboardFixture): Promise<void> {
  if (!gallery.wants("overlay", "dock")) return;
  const page = await fixture.newPage();
  await page.goto(`${fixture.origin}/overlay#token=${fixture.token}`);
  await byName(page, "overlay-question").waitFor();
  await gallery.add(page, "overlay");
  await page.goto(`${fixture.origin}/dock#token=${fixture.token}`);
  await byName(page, "force").first().waitFor();
  await gallery.add(page, "dock");
  await page.context().close();
}

async function decisions(gallery: Gallery, page: Page, fixture: DashboardFixture, neuro: Upstream): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await approval(fixture, neuro);
  await byName(page, "approval-card").nth(1).waitFor();
  await gallery.add(page, "approval");
  await change(fixture, "PATCH", "controls", { approval: false });
  await change(fixture, "PATCH", "integrations/poker-night", { solo: true });
  await change(fixture, "PATCH", "integrations/minecraft", { paused: true });
  await byName(page, "trouble-solo").waitFor();
  await gallery.add(page, "solo");
  await change(fixture, "PATCH", "controls", { stopped: true });
  await byName(page, "trouble-stopped").waitFor();
  await gallery.add(page, "stopped");
  await fixture.restart(async () => {
    await byName(page, "trouble-disconnected").waitFor();
    await gallery.add(page, "lost");
  });
}

/** Item: who is stuck, what is Neuro asked, what waits and why. */
async function show30(gallery: Gallery, fixture: DashboardFixture, neuro: Upstream): Promise<void> {
  const page = await fixture.open();
  await lively(fixture, neuro, 13);
  await approval(fixture, neuro);
  await byName(page, "approval-card").nth(1).waitFor();
  await gallery.add(page, "show");
}

async function withNeuro(run: (fixture: DashboardFixture, neuro: Upstream) => Promise<void>): Promise<void> {
  const neuro = new Upstream();
  try {
    await withDashboard((fixture) => run(fixture, neuro), [
      `nakurity-client.url=${neuro.url}`,
      "brain.enabled=true",
      "brain.port=0",
      "queue.ttl.command=1s",
    ]);
  } finally {
    neuro.stop();
  }
}

export async function makeGallery(folder: string, given: readonly string[]): Promise<void> {
  const gallery = new Gallery(folder, given);
  if (gallery.wants("sign-in", "empty")) await emptyRelay(gallery);
  if (gallery.wants("show")) await withNeuro((fixture, neuro) => show30(gallery, fixture, neuro));
  if (gallery.wants("crowd")) {
    await withNeuro(async (fixture) => {
      const page = await fixture.open();
      await crowd(fixture, 119);
      await byName(page, "stat-integrations").getByText("119").waitFor();
      await gallery.add(page, "crowd");
    });
  }
  const ofLively = [...PANELS, ...MORE_PANELS, "lively", "trace", "integration", "details", "connect", "help", "overlay"];
  const after = ["dock", "approval", "solo", "stopped", "lost"];
  if (gallery.wants(...ofLively, ...after)) await withNeuro((fixture, neuro) => livelyRelay(gallery, fixture, neuro));
}

const [folder, ...given] = process.argv.slice(2);
if (import.meta.main) await makeGallery(folder ?? "gallery", given);
