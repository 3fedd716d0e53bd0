/** Sessions of a relay as files: what is recorded, and how it is played again. */
export { playBackend } from "./backend.ts";
export { type Choice, chosen, type Conversation, conversationsIn, described, type Said } from "./conversations.ts";
export { playGame } from "./game.ts";
export { type Playing, type Report, reportLines, type Script } from "./play.ts";
export { overheard, Recorder, type Tape } from "./recorder.ts";
export { readTape, type Session, TapeError } from "./tape.ts";
