import type { OverviewQuery, TeamKind } from "./generated/graphql";

export type Viewer = OverviewQuery["viewer"];

/** What a viewer may do with versions. The server decides; the page leaves out what it would refuse. */
export interface Abilities {
  /** Propose, edit, submit, comment, request changes. */
  works: boolean;
  /** Activate, and withdraw the versions of others. */
  operates: boolean;
  /** The team that the viewer signs for; null for who signs for none. */
  signsFor: TeamKind | null;
  memberId: string | null;
}

/** What a viewer may do. */
export function abilitiesOf(viewer: Viewer): Abilities {
  const reachesAll = viewer.reach === "ALL";
  const works = reachesAll && viewer.level !== "VIEWER";
  const team = viewer.member?.team?.kind ?? null;
  return {
    works,
    operates: works && viewer.level !== "CONTRIBUTOR",
    signsFor: works && (team === "MARKETING" || team === "SALES") ? team : null,
    memberId: viewer.member?.id ?? null,
  };
}
