import type { AccordStatus } from "../generated/graphql";

/** The statuses in the words of the page. */
export const STATUS: Record<AccordStatus, string> = {
  DRAFT: "Draft",
  IN_REVIEW: "In review",
  CHANGES_REQUESTED: "Changes requested",
  SIGNED: "Signed by both",
  ACTIVE: "In force",
  SUPERSEDED: "Replaced",
  WITHDRAWN: "Withdrawn",
};

/** Whether a signed version is being brought into force now: a job of the server evaluates everybody by it. */
export function isActivating(version: { status: AccordStatus; activatesAt: string | null }): boolean {
  return version.status === "SIGNED" && version.activatesAt !== null && new Date(version.activatesAt) <= new Date();
}

/** The instant ahead at which a signed version comes into force; null if none is planned. */
export function plannedFor(version: { status: AccordStatus; activatesAt: string | null }): string | null {
  return version.status === "SIGNED" && !isActivating(version) ? version.activatesAt : null;
}

const OPEN: readonly AccordStatus[] = ["DRAFT", "IN_REVIEW", "CHANGES_REQUESTED", "SIGNED"];

/** Whether a version can still change, and so is compared with the one that it would replace. */
export function isOpen(status: AccordStatus): boolean {
  return OPEN.includes(status);
}
