import type { Entry } from "../core/event.ts";
import { key } from "../core/key.ts";
import type { RoomName } from "../core/room.ts";
import type { Store } from "./ports.ts";

/** What a room is made from: all its keys, with the values of those it declared resident. */
export async function readRoom(
  store: Store,
  room: { readonly name: RoomName; readonly resident: readonly string[] },
): Promise<readonly Entry[]> {
  const keys = await store.keys(key(room.name));
  const isResident = (name: string) => room.resident.some((prefix) => name.startsWith(prefix));
  const resident = await store.read(keys.filter(isResident));
  const cold = keys.filter((name) => !isResident(name)).map((name): Entry => ({ key: name }));
  return [...resident, ...cold];
}
