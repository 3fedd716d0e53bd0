/** `bun run screenshots`: the pictures of the README, of a relay with games at work. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { devices } from "playwright-core";
import { JsonClient } from "../harness/json-client.ts";
import { ROOT } from "../harness/machine.ts";
import { byName, type DashboardFixture, Game, withDashboard } from "./fixture.ts";

/** The pictures, by the name of their file. */
export const SCREENSHOTS = ["dashboard.png", "dashboard-phone.png"];

const TOKEN = "super-secret-token";

/** Two games and an integration: an open question, a running action, a paused integration, a message that waits. */
async function play(fixture: DashboardFixture): Promise<void> {
  const schema = (name: string) => ({ type: "object", properties: { [name]: { type: "string" } }, required: [name] });
  const poker = await Game.join(fixture, "Poker Night", [{ name: "raise" }, { name: "fold" }, { name: "check" }]);
  const jukebox = await JsonClient.open(fixture.relay.urls.intermediary);
  jukebox.send({ type: "integration", name: "jukebox", auth_token: TOKEN, ack: true });
  jukebox.send({
    event: "register_actions",
    actions: [{ name: "play_song", description: "Play a song.", schema: schema("title") }],
  });
  jukebox.send({ command: "context", data: { message: "The jukebox is on.", silent: true } });
  const overlay = await JsonClient.open(fixture.relay.urls.intermediary);
  overlay.send({ type: "neuro-os", name: "stream-overlay", auth_token: TOKEN });
  poker.send("context", { message: "Vedal raises to 400. You hold two aces.", silent: true });
  poker.force("Your turn: raise, fold or check?", ["raise", "fold", "check"]);
  overlay.send({ choice: { selected: "check" } });
  const { id } = await poker.action();
  poker.result(id, true, "You checked.");
  const chess = await Game.join(fixture, "Chess", [{ name: "move", description: "Move a piece.", schema: schema("to") }]);
  chess.send("context", { message: "Vedal moved his knight to f6.", silent: true });
  overlay.send({ choice: { selected: "play_song", data: { title: "Daisy Bell" } } });
  await jukebox.next(({ event }) => event === "action");
  chess.force("It is your turn. Which piece do you move?", ["move"], { state: "1. e4 e5 2. Nf3 Nf6", priority: "high" });
}

/** Writes the pictures into a folder. */
export async function takeScreenshots(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await withDashboard(async (fixture) => {
    const page = await fixture.open({ viewport: { width: 1280, height: 720 }, colorScheme: "light" });
    await play(fixture);
    await page.locator(".force-query", { hasText: "Which piece" }).waitFor();
    await page.locator(".feed-row[data-event=force_opened]", { hasText: "Chess" }).waitFor();
    await page.screenshot({ path: join(folder, "dashboard.png") });
    const phone = await fixture.open({ ...devices["iPhone 13"], deviceScaleFactor: 2, colorScheme: "dark" });
    await byName(phone, "tab-now").click();
    await phone.locator(".force-query", { hasText: "Which piece" }).waitFor();
    await phone.screenshot({ path: join(folder, "dashboard-phone.png") });
  });
}

if (import.meta.main) await takeScreenshots(join(ROOT, "docs"));
