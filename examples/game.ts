/**
 * A game that uses the Neuro API, as if it were connected to Neuro herself: it knows nothing of a relay.
 *
 * Run it with `bun examples/game.ts [URL] [NAME]`; without a URL it uses `NEURO_SDK_WS_URL`, as games with an SDK do.
 * Neuro has to guess a number from 1 to 10. When she has guessed it, the game closes the connection and exits.
 */
import process from "node:process";

const defaultUrl = process.env["NEURO_SDK_WS_URL"] ?? "ws://127.0.0.1:8000";
const [url = defaultUrl, game = "Guess the Number"] = process.argv.slice(2);
const secret = 1 + Math.floor(Math.random() * 10);
const socket = new WebSocket(url);

const send = (command: string, data?: object) => socket.send(JSON.stringify({ command, game, ...(data && { data }) }));

const guess = {
  name: "guess_number",
  description: "Guess a number from 1 to 10.",
  schema: {
    type: "object",
    properties: { number: { type: "integer", minimum: 1, maximum: 10 } },
    required: ["number"],
  },
};

function ask(query: string): void {
  send("actions/force", { query, state: "The number is from 1 to 10.", action_names: [guess.name] });
}

/** Evaluates a guess: the result for Neuro, and whether the game is won. */
function evaluate(data: string | undefined): { success: boolean; message: string; won: boolean } {
  const number = Number(JSON.parse(data ?? "{}").number);
  if (!Number.isInteger(number) || number < 1 || number > 10) {
    return { success: false, message: "That is no number from 1 to 10.", won: false };
  }
  const won = number === secret;
  return { success: true, won, message: won ? "That is it!" : `It is ${number < secret ? "higher" : "lower"}.` };
}

socket.addEventListener("open", () => {
  send("startup");
  send("actions/register", { actions: [guess] });
  send("context", { message: "I have thought of a number.", silent: true });
  ask("Guess my number.");
  console.log("connected");
});

socket.addEventListener("message", ({ data }) => {
  const message = JSON.parse(String(data));
  if (message.command === "actions/reregister_all") return send("actions/register", { actions: [guess] });
  if (message.command !== "action") return;
  const { id } = message.data;
  const { won, ...result } = evaluate(message.data.data);
  console.log(`guess ${message.data.data}: ${result.message}`);
  if (won) send("actions/unregister", { action_names: [guess.name] }); // Before the result: the game needs no more guesses.
  send("action/result", { id, ...result });
  if (!won && result.success) ask("Guess again.");
  if (won) socket.close(1000);
});

socket.addEventListener("close", () => console.log("bye"));
