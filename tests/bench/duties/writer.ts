/**
 * Writes the messages of the path.
 *
 * Why two ways: a text of two or three parts is cheaper than an object that is stringified, one of more parts is not, because they are
 * joined only when the text is sent.
 */
import { asciiJson, isPrintable } from "../../../src/neuro-api/frame.ts";
import type { ActionRecord } from "./records.ts";

export interface Writer {
  /** A text of the relay's own, as texts are kept. */
  own(text: string): string;
  action(record: ActionRecord): string;
  result(neuroId: string, success: boolean, message: string | undefined): string;
  /** What the writer keeps of a game for its contexts. */
  contextHead(game: string): string;
  context(head: string, message: string, silent: boolean): string;
}

/** What JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** The text as JSON with its quotes, in printable ASCII. */
export const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : asciiJson(JSON.stringify(text)));

/** Texts are kept as they are. */
export const STRINGIFYING: Writer = {
  own: (text) => text,
  action({ gameId: id, name, data }) {
    const json = JSON.stringify({ command: "action", data: data === undefined ? { id, name } : { id, name, data } });
    return data === undefined || isPrintable(data) ? json : asciiJson(json);
  },
  result: (id, success, message) =>
    JSON.stringify({
      command: "action/result",
      game: "Relay",
      data: message === undefined ? { id, success } : { id, success, message },
    }),
  contextHead: (game) => `[${game}] `,
  context: (head, message, silent) =>
    JSON.stringify({ command: "context", game: "Relay", data: { message: head + message, silent } }),
};

/** Texts are kept as JSON. */
export const JOINING: Writer = {
  own: quoted,
  action({ gameId, name, data }) {
    const nameJson = quoted(name);
    return data === undefined
      ? `{"command":"action","data":{"id":${quoted(gameId)},"name":${nameJson}}}`
      : '{"command":"action","data":{"id":"' + gameId + '","name":' + nameJson + ',"data":' + data + "}}";
  },
  result(id, success, message) {
    const head = '{"command":"action/result","game":"Relay","data":{"id":' + quoted(id);
    if (message !== undefined) return `${head},"success":${success},"message":${message}}}`;
    return head + (success ? ',"success":true}}' : ',"success":false}}');
  },
  contextHead: (game) => `{"command":"context","game":"Relay","data":{"message":${quoted(`[${game}] `).slice(0, -1)}`,
  context: (head, message, silent) => head + message.slice(1) + (silent ? ',"silent":true}}' : ',"silent":false}}'),
};
