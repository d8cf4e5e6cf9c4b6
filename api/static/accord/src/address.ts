import { useSyncExternalStore } from "react";

/** What the page shows. It is kept in the address, so that a link, the back button and a sign-in lead to the same view. */
export interface Address {
  /** The number of the version; null for the one in force. */
  version: number | null;
  view: View;
}

export const VIEWS = ["agreement", "effect", "edit", "propose"] as const;
export type View = (typeof VIEWS)[number];

/** The parts of the page's address. An unknown view is the agreement, no version the one in force. */
export function parseAddress(search: string): Address {
  const given = new URLSearchParams(search);
  const version = Number(given.get("version"));
  const view = VIEWS.find((name) => name === given.get("view")) ?? "agreement";
  return { version: Number.isInteger(version) && version > 0 ? version : null, view };
}

/** The address of a view of a version, relative to this page. */
export function addressOf({ version, view }: Address): string {
  const parts = new URLSearchParams();
  if (version !== null) {
    parts.set("version", String(version));
  }
  if (view !== "agreement") {
    parts.set("view", view);
  }
  const search = parts.toString();
  return window.location.pathname + (search ? `?${search}` : "");
}

/** Called instead of showing another view, with the way to show it after all. */
type Guard = (leave: () => void) => void;

const listeners = new Set<() => void>();
let guard: Guard | null = null;
let shown = window.location.search;
let place = placeInHistory() ?? 0;
window.history.replaceState({ place }, "");

/** The place of the present address among those that this page has pushed; undefined for the target of a # link. */
function placeInHistory(): number | undefined {
  return window.history.state?.place;
}

function show(): void {
  shown = window.location.search;
  for (const listener of listeners) {
    listener();
  }
}

window.addEventListener("popstate", () => {
  const former = place;
  place = placeInHistory() ?? former + 1;
  window.history.replaceState({ place }, "");
  if (window.location.search === shown) {
    return;
  }
  if (guard === null) {
    show();
  } else {
    // The browser has the other address already: it goes back to the guarded one until the reader decides.
    const steps = place - former;
    window.history.go(-steps);
    ask(guard, () => window.history.go(steps));
  }
});

function ask(guarding: Guard, leave: () => void): void {
  guarding(() => {
    guard = null;
    leave();
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The present address. The component is rendered again when it changes. */
export function useAddress(): Address {
  return parseAddress(useSyncExternalStore(subscribe, () => shown));
}

/** Show another version or view. The back button returns. */
export function go(address: Address): void {
  const leave = () => {
    place += 1;
    window.history.pushState({ place }, "", addressOf(address));
    show();
  };
  if (guard === null) {
    leave();
  } else {
    ask(guard, leave);
  }
}

/** The same from a view whose text is saved now, so that it needs no guard any more. */
export function goAfterSaving(address: Address): void {
  guard = null;
  go(address);
}

/**
 * Keep the present view until the reader decides. Ends when the returned function is called.
 *
 * `asks` is called when a link or the back button would show another view of this page. For other pages, and when the
 * window is closed, the browser asks.
 */
export function guardView(asks: Guard): () => void {
  const forbid = (event: BeforeUnloadEvent) => event.preventDefault();
  guard = asks;
  window.addEventListener("beforeunload", forbid);
  return () => {
    guard = null;
    window.removeEventListener("beforeunload", forbid);
  };
}

/** Whether the present view has something that would be lost. */
export function isGuarded(): boolean {
  return guard !== null;
}
