/** Icons of one line weight. They are hidden from screen readers: their users provide the label. */

const PATHS = {
  pause: "M6 4v8M10 4v8",
  play: "M5.5 3.8v8.4l6.5-4.2z",
  mute: "M3 6.2v3.6h2.3L8.6 12.6V3.4L5.3 6.2zM11 6l3 4M14 6l-3 4",
  solo: "M3 9.5V8a5 5 0 0 1 10 0v1.5M3 9.5h2.2v3H4.4A1.4 1.4 0 0 1 3 11.1zM13 9.5h-2.2v3h.8a1.4 1.4 0 0 0 1.4-1.4z",
  shield: "M8 2.4 12.8 4v3.6c0 3-2 5-4.8 6-2.8-1-4.8-3-4.8-6V4zM5.8 7.9l1.6 1.6 2.9-3",
  unplug:
    "M3 13l2.4-2.4M5 8l3 3-1.2 1.2a2.1 2.1 0 0 1-3-3zM11 8 8 5l1.2-1.2a2.1 2.1 0 0 1 3 3zM10.6 5.4 13 3M6.6 7.4l1-1M8.6 9.4l1-1",
  chevron: "M6 4l4 4-4 4",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 2.8a4.2 4.2 0 1 1 0 8.4 4.2 4.2 0 0 1 0-8.4M10.2 10.2 13.4 13.4",
  sun:
    "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.4v1.4M8 13.2v1.4M1.4 8h1.4M13.2 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M3.3 12.7l1-1M11.7 4.3l1-1",
  moon: "M13 9.6A5.4 5.4 0 0 1 6.4 3a5.4 5.4 0 1 0 6.6 6.6z",
  half: "M8 2.4a5.6 5.6 0 1 1 0 11.2A5.6 5.6 0 0 1 8 2.4M8 2.4v11.2M10 3v10M12 4.2v7.6",
  help: "M8 1.9a6.1 6.1 0 1 1 0 12.2A6.1 6.1 0 0 1 8 1.9M6.2 6.3A1.8 1.8 0 1 1 8 8.2v1M8 11.2v.2",
  leave: "M6 2.8H3.2v10.4H6M6.4 8h7M10.8 5.2 13.4 8l-2.6 2.8",
  now: "M8.8 1.8 3.4 9h4L7 14.2 12.6 7H8.5z",
  people: "M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z",
  feed: "M2.6 4h10.8M2.6 8h10.8M2.6 12h7",
  queue: "M2.4 9.4 4 3.4h8l1.6 6v3.4H2.4zM2.4 9.4h3.2l1 1.6h2.8l1-1.6h3.2",
  brain:
    "M8 3.4v9.4M8 3.6a2.2 2.2 0 0 0-4 .9 2.3 2.3 0 0 0-1 3.3A2.4 2.4 0 0 0 4.3 12 2 2 0 0 0 8 12.4a2 2 0 0 0 3.7-.4A2.4 2.4 0 0 0 13 7.8a2.3 2.3 0 0 0-1-3.3 2.2 2.2 0 0 0-4-.9",
  wave: "M1.8 8c1.5-5.4 2.8-5.4 4.2 0s2.7 5.4 4.1 0 2.7-5.4 4.1 0",
  list: "M6 4h7.4M6 8h7.4M6 12h7.4M2.6 4h.8M2.6 8h.8M2.6 12h.8",
  wrench: "M13.2 4.6a3.4 3.4 0 0 1-4.6 4.2l-4.2 4.2a1.4 1.4 0 0 1-2-2l4.2-4.2a3.4 3.4 0 0 1 4.2-4.6L8.8 4.2l.4 2.2 2.2.4z",
  stop: "M5.5 1.9h5l3.6 3.6v5l-3.6 3.6h-5L1.9 10.5v-5z",
  nodes:
    "M8 2.2a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4M3.6 10.2a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4M12.4 10.2a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4M7.2 5.4 4.4 10.3M8.8 5.4l2.8 4.9M5.3 11.9h5.4",
  plus: "M8 3v10M3 8h10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
