/** Recordings of a relay's sessions: how they are written, read and replayed. */
export {
  type Conversation,
  type ConversationFilter,
  conversationsIn,
  describeConversation,
  type RecordedFrame,
  selectConversation,
} from "./conversations.ts";
export { Recorder, type RecordingSink, recordSockets } from "./recorder.ts";
export { readRecording, type RecordedSession, RecordingError } from "./recording-file.ts";
export { replayBackend } from "./replay-backend.ts";
export { replayGame } from "./replay-game.ts";
export { type Replay, type ReplayReport, type ReplayScript, reportLines } from "./replay.ts";
