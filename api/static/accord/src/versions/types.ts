import type { ChangesQuery, OverviewQuery, VersionQuery } from "../generated/graphql";

export type VersionShown = NonNullable<VersionQuery["accord"]>;
export type VersionListed = OverviewQuery["accordVersions"]["nodes"][number];
export type Comment = VersionShown["comments"][number];
export type Change = NonNullable<ChangesQuery["accordDiff"]>["changes"][number];
