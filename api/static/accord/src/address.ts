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

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/** The present address. The component is rendered again when it changes. */
export function useAddress(): Address {
  return parseAddress(useSyncExternalStore(subscribe, () => window.location.search));
}

/** Show another version or view. The back button returns. */
export function go(address: Address): void {
  window.history.pushState(null, "", addressOf(address));
  for (const listener of listeners) {
    listener();
  }
}
