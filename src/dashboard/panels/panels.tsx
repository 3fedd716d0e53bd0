/** The open panel. */
import { useStore } from "../state/hooks.ts";
import { sidePanel } from "./registry.ts";

export function Panels() {
  const { name, content: Content } = useStore((state) => sidePanel(state.route.panel));
  return (
    <div class="panel" data-name={`panel-${name}`}>
      <Content key={name} />
    </div>
  );
}
