/** The one store of the page, and how components read it. */
import { useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import type { IntegrationDetail } from "../../core/view.ts";
import { TEXTS } from "../texts.ts";
import { browserPorts } from "./browser-ports.ts";
import type { DashboardState } from "./dashboard-state.ts";
import { DashboardStore } from "./dashboard-store.ts";

export const store: DashboardStore = new DashboardStore(browserPorts());

/** The components that read the state. Each function draws one again, if what it reads has changed. */
const readers = new Set<() => void>();
let frame = 0;

/** Why in a frame: changes that come together are drawn together, and nothing is drawn while the page is hidden. */
function scheduleReaders(): void {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    for (const drawIfChanged of readers) drawIfChanged();
  });
}

store.subscribe(scheduleReaders);

/** A part of the state. The component is drawn again, at most once a frame, when `select` returns another value. */
export function useStore<Value>(select: (state: DashboardState) => Value): Value {
  const redraw = useRedraw();
  const value = select(store.state);
  const drawn = useRef({ select, value });
  // Why each time: what is selected may depend on the component's latest properties.
  drawn.current = { select, value };
  useLayoutEffect(() => {
    const drawIfChanged = (): void => {
      const { select: latest, value: before } = drawn.current;
      if (!Object.is(latest(store.state), before)) redraw();
    };
    readers.add(drawIfChanged);
    return () => void readers.delete(drawIfChanged);
  }, []);
  return value;
}

/** Draws the component again when the feed is paused, resumed or filtered. */
export function useFeedView(): void {
  const redraw = useRedraw();
  useLayoutEffect(() => store.feed.subscribe(redraw), []);
}

/** The same, and once a second while events arrive. */
export function useFeed(): void {
  useFeedView();
  // Why not the number of events alone: it changes with each, and the state of the page about once a second.
  useStore(() => store.feed.total);
}

function useRedraw(): () => void {
  const [, setCount] = useState(0);
  return () => setCount((count) => count + 1);
}

/** Whether the element is in sight, at least nearly. What is not need not be drawn every second. */
export function useVisible(element: { readonly current: HTMLElement | null }): boolean {
  const [isVisible, setVisible] = useState(false);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const { current } = element;
    watchVisibility(current, setVisible);
    return () => visibility.delete(current);
  }, []);
  return isVisible;
}

/**
 * The same for a component that need not be drawn again for it: what it selects of the state (`useStore`) may depend on the value, and is
 * selected again when that changes.
 */
export function useSight(element: { readonly current: HTMLElement | null }): { readonly current: boolean } {
  const sight = useRef(false);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const { current } = element;
    watchVisibility(current, (isVisible) => {
      sight.current = isVisible;
      scheduleReaders();
    });
    return () => visibility.delete(current);
  }, []);
  return sight as { readonly current: boolean }; // Why the cast: the type of a reference includes null, which this one never is.
}

/** Why one observer for all: each costs, and there may be hundreds of elements. */
const visibility = new Map<Element, (isVisible: boolean) => void>();
let observer: IntersectionObserver | undefined;
const NEAR = "200px";

function watchVisibility(element: Element, onChange: (isVisible: boolean) => void): void {
  // Why both: one is for the window, the other for the parts of the page that scroll.
  const options = { rootMargin: NEAR, scrollMargin: NEAR };
  observer ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (visibility.has(target)) visibility.get(target)?.(isIntersecting);
      else observer?.unobserve(target);
    }
  }, options);
  visibility.set(element, onChange);
  observer.observe(element);
}

/**
 * What the API has at a path (the part after `/api/`), kept up to date while the component is mounted: undefined until it was read, null
 * if there is nothing. The caller names its type, as the OpenAPI document defines it.
 */
export function useResource<Body>(path: string): Body | null | undefined {
  useLayoutEffect(() => store.viewResource(path), [path]);
  return useStore(({ resources }) => resources.get(path) as Body | null | undefined);
}

/** An integration with all its actions, kept up to date while the component is mounted. */
export const useDetail = (id: string): IntegrationDetail | undefined =>
  useResource<IntegrationDetail>(`integrations/${pathSegment(id)}`) ?? undefined;

/** Why the token does not allow what needs one of these scopes; undefined when it does. */
export function useMissingScope(...scopes: readonly string[]): string | undefined {
  const given = useStore(({ overview }) => overview?.scopes);
  return given?.some((scope) => scopes.includes(scope)) === true ? undefined : TEXTS.missingScope(scopes);
}
