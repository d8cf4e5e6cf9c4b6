import type { ChangedPeopleQuery, EffectQuery, EffectQueryVariables } from "../generated/graphql";

export type Preview = NonNullable<EffectQuery["accordPreview"]>;
export type StageEffect = Preview["stages"][number];
export type Bucket = StageEffect["buckets"][number];
export type Kpi = Preview["kpis"][number];
export type Duty = Preview["duties"][number];
export type ChangedPerson = NonNullable<
  NonNullable<ChangedPeopleQuery["accordPreview"]>["stages"][number]["people"]
>["edges"][number];

/** Which preview: the version, the period, and the version that it is compared to. */
export type Requested = EffectQueryVariables;
