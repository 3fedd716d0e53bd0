/** Views that a person has saved under a name: what is open, filtered and sorted. They are kept in this browser. */
import { useState } from "hono/jsx/dom";
import { sanitize } from "../lib/sanitize.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Icon } from "./icons.tsx";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.views;
const NAME_MAX = 40;

export function SavedViews() {
  const views = useStore((state) => state.savedViews);
  const [name, setName] = useState("");
  const save = (event: Event): void => {
    event.preventDefault();
    if (name.trim() === "") return;
    store.saveView(name.trim().slice(0, NAME_MAX));
    setName("");
  };
  return (
    <details class="views" data-name="views">
      <summary aria-label={TEXT.title} title={TEXT.title}>
        <Icon name="star" />
      </summary>
      <div class="views-body">
        <p class={views.length === 0 ? "faint small" : "hidden"}>{TEXT.none}</p>
        <ul>
          {views.map((view) => (
            <li key={view.name} class="view">
              <a href={view.fragment || "#/now"}>
                <bdi>{sanitize(view.name, NAME_MAX)}</bdi>
              </a>
              <Button
                kind="quiet"
                icon="close"
                label={TEXT.remove(sanitize(view.name, NAME_MAX))}
                onPress={() => store.removeView(view.name)}
              />
            </li>
          ))}
        </ul>
        <form class="view-form" onSubmit={save}>
          <input
            type="text"
            aria-label={TEXT.name}
            placeholder={TEXT.name}
            data-name="view-name"
            maxLength={NAME_MAX}
            value={name}
            onInput={(event: Event) => setName((event.target as HTMLInputElement).value)}
          />
          <button type="submit" class="button">
            <span class="button-text">{TEXT.save}</span>
          </button>
        </form>
      </div>
    </details>
  );
}
