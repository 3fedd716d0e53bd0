/** Inputs that have caused faults in some program, and why. They are sent to every listener. */
import type { Frame } from "../../src/core/json.ts";

export interface CorpusInput {
  readonly frame: Frame;
  readonly why: string;
}

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

export const CORPUS: readonly CorpusInput[] = [
  { frame: "", why: "nothing at all" },
  { frame: " \t\r\n", why: "JSON's white space and no value" },
  { frame: "null", why: "an object to `typeof`" },
  { frame: "[]", why: "another one" },
  { frame: "true", why: "a value without fields" },
  { frame: "0", why: "falsy, and a value all the same" },
  { frame: '""', why: "falsy text" },
  { frame: "\ufeff{}", why: "a byte order mark before the text" },
  { frame: "{", why: "cut off at once" },
  { frame: '{"command":"context","data":{"message":"', why: "cut off within a text" },
  { frame: '{"command":"startup"}{"command":"startup"}', why: "two messages in one frame" },
  { frame: '{"command":"startup","command":{}}', why: "a key twice: the last one counts" },
  { frame: '{"__proto__":{"type":"integration","auth_token":""}}', why: "a prototype where fields are looked for" },
  { frame: '{"constructor":{"prototype":{"isAdmin":true}}}', why: "the other way to a prototype" },
  {
    frame: '{"event":"register_actions","actions":{"__proto__":{"description":"d"}}}',
    why: "a name that plain objects know",
  },
  { frame: '{"command":"toString","data":{"toString":1,"valueOf":2}}', why: "values that cannot be made text" },
  { frame: '{"toJSON":"x","then":"y"}', why: "names that JSON and promises call" },
  { frame: '{"cmd":"hasOwnProperty"}', why: "a command that every plain table has" },
  { frame: '{"a":1e400}', why: "a number beyond all numbers" },
  { frame: '{"a":-0,"b":1e-400,"c":9007199254740993}', why: "numbers that are not what they say" },
  { frame: '{"request_id":1e308,"query":"peers"}', why: "an id that is a very large number" },
  { frame: nested(10_000, "[", "]"), why: "deeper than the stack" },
  { frame: nested(10_000, '{"a":', "}"), why: "deep, and cut off where a value should be" },
  { frame: '{"a":' + nested(63, "[", "]") + "}", why: "exactly as deep as is allowed" },
  { frame: '{"a":' + nested(64, "[", "]") + "}", why: "one deeper" },
  { frame: `["${"[".repeat(500)}"]`, why: "brackets in a text are no depth" },
  { frame: '"\\ud800"', why: "half a character, escaped" },
  { frame: "\ud800", why: "half a character" },
  {
    frame: '{"type":"integration","name":"\\ud800\\u0000\\u202e","auth_token":"\\udfff"}',
    why: "a name and a token of halves",
  },
  { frame: '{"type":"integration","name":"e\\u0301".normalize()}', why: "code is no JSON" },
  { frame: `{"name":"${"\u{1f469}\u200d".repeat(400)}"}`, why: "one glyph, hundreds of code points" },
  { frame: '{"command":"context","data":{"message":"\\u0000\\u001b[2J\\r\\nlevel=error"}}', why: "forges a line of a log" },
  { frame: '{"command":"context","data":{"message":"</script><img src=x onerror=alert(1)>"}}', why: "forges a page" },
  { frame: '{"target":"../../etc/passwd","cmd":{}}', why: "a name as a path" },
  { frame: '{"target":"*","cmd":null}', why: "a broadcast of nothing" },
  { frame: '{"ack":"0000000000000-0"}', why: "acknowledges what never was" },
  { frame: '{"nak":"x","delay_ms":-1e9}', why: "asks for a time in the past" },
  { frame: '{"nak":"x","delay_ms":1e308}', why: "asks for never" },
  { frame: '{"subscribe":{"after":"9999999999999-9999999999"}}', why: "a cursor of the future" },
  { frame: '{"subscribe":{"events":[null,{},[]]}}', why: "values that are not names" },
  { frame: '{"direct_to_neuro":true}', why: "says nothing to her" },
  { frame: '{"choice":{"selected":"__proto__","data":{}}}', why: "chooses what every table has" },
  {
    frame: '{"command":"actions/register","data":{"actions":[{"name":"a","schema":{"$ref":"#"}}]}}',
    why: "a schema that is itself",
  },
  {
    frame:
      '{"command":"actions/register","data":{"actions":[{"name":"a","schema":{"properties":{"x":{"pattern":"^(a+)+$"}}}}]}}',
    why: "a pattern that takes exponential time",
  },
  {
    frame:
      '{"command":"actions/register","data":{"actions":[{"name":"a","schema":{"type":"array","minItems":1e9,"items":{}}}]}}',
    why: "a schema that asks for a billion values",
  },
  {
    frame: '{"command":"actions/register","data":{"actions":[{"name":"a","schema":{"minimum":5,"maximum":1}}]}}',
    why: "a schema that nothing fits",
  },
  {
    frame: '{"command":"actions/register","data":{"actions":[null,1,"x",{},{"name":null},{"name":""}]}}',
    why: "values that are not actions",
  },
  {
    frame: '{"command":"actions/force","data":{"query":"q","action_names":["a","a","a","missing",null]}}',
    why: "forces one thing three times, and what is not there",
  },
  { frame: '{"command":"action/result","data":{"id":"x","success":"maybe","message":{}}}', why: "the result of nothing" },
  { frame: '{"command":"action","data":{"id":"","name":"","data":"{"}}', why: "an action without id, name or JSON" },
  { frame: '{"command":"shutdown/graceful","data":{"wants_shutdown":"yes"}}', why: "a wish in words" },
  { frame: '{"cmd":"CreateSession","state":{"__proto__":1}}', why: "a state with a prototype" },
  { frame: '{"cmd":"ApplyOperator","session_id":{},"operator":[]}', why: "an id that is an object" },
  { frame: '{"cmd":"ReplaySession","session_id":"x","from":-1,"to":1e308}', why: "a stretch from before to after all" },
  { frame: bytes(), why: "no bytes" },
  { frame: bytes(0xff, 0xfe, 0x7b, 0x00), why: "UTF-16" },
  { frame: bytes(0xc0, 0x80), why: "a zero in a longer form than is allowed" },
  { frame: bytes(0xed, 0xa0, 0x80), why: "half a character in UTF-8" },
  { frame: bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), why: "the beginning of a picture and no more" },
  { frame: bytes(0x7b, 0x7d), why: "JSON as bytes" },
];
