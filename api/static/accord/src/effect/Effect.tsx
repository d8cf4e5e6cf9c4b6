import { useState } from "react";
import { useQuery } from "urql";
import { CHANGES_WITH_VERSIONS } from "../client";
import { EffectDocument } from "../generated/graphql";
import { Choice } from "../ui/Choice";
import { Failure, Notice } from "../ui/Notice";
import { STATUS, isOpen } from "../ui/status";
import { day, minute } from "../ui/words";
import type { VersionListed, VersionShown } from "../versions/types";
import { Kpis, Sellers, TargetsAndDuties } from "./FigureTables";
import { effectSentences, isAffected } from "./sentences";
import { StageFigure } from "./StageFigure";
import type { Preview, Requested } from "./types";
import { valueIn } from "./values";

const PERIODS = [
  { id: "last-3-months", label: "The last 3 months" },
  { id: "last-month", label: "Last month" },
  { id: "last-quarter", label: "Last quarter" },
  { id: "last-6-months", label: "The last 6 months" },
  { id: "last-12-months", label: "The last 12 months" },
];
const IN_FORCE = "in-force";
const REPLACED = "replaced";
const GRADES: Record<NonNullable<Preview["coverage"]["grade"]>, string> = {
  EXACT: "Exact: the whole history that is needed is there.",
  PARTIAL: "Partial: some values of the past are assumed.",
  ESTIMATED: "Estimated: many values of the past are assumed.",
};

/** What a version would have changed over a period, beside the version in force or another one. */
export function Effect({ version, versions }: { version: VersionShown; versions: readonly VersionListed[] }) {
  const [period, setPeriod] = useState("last-3-months");
  const [other, setOther] = useState(isOpen(version.status) ? IN_FORCE : REPLACED);
  const requested: Requested = {
    version: version.version,
    period: { named: period },
    compareTo: other === IN_FORCE ? null : other === REPLACED ? version.base?.version : Number(other),
  };
  const [{ data, error, fetching }] = useQuery({
    query: EffectDocument,
    variables: requested,
    context: CHANGES_WITH_VERSIONS,
  });
  const others = versions
    .filter((one) => one.version !== version.version)
    .map((one) => ({ id: String(one.version), label: `Version ${one.version} (${STATUS[one.status].toLowerCase()})` }));
  return (
    <section className="effect" aria-labelledby="effect">
      <h2 id="effect" className="spoken">
        Effect
      </h2>
      <div className="effect-choices">
        <Choice label="Period" options={PERIODS} value={period} onChange={setPeriod} />
        <Choice
          label="Beside"
          options={[
            { id: IN_FORCE, label: "The version in force" },
            ...(version.base ? [{ id: REPLACED, label: "The version that it replaces" }] : []),
            ...others,
          ]}
          value={other}
          onChange={setOther}
        />
      </div>
      {error && <Failure error={error} />}
      {fetching && (
        <p className="loading" role="status">
          Counting everybody by both versions. The first time takes a moment…
        </p>
      )}
      {!fetching && data?.accordPreview && <Shown preview={data.accordPreview} requested={requested} />}
    </section>
  );
}

function Shown({ preview, requested }: { preview: Preview; requested: Requested }) {
  const affected = preview.stages.filter(isAffected);
  const same = preview.stages.filter((stage) => !isAffected(stage));
  return (
    <>
      <section className="effect-lead" aria-label="In short">
        <ul className="sentences">
          {effectSentences(preview).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        <p className="facts">
          Version {preview.version} beside version {preview.comparedVersion}
          {preview.period.from && preview.period.before && `, ${range(preview.period.from, preview.period.before)}`}, computed{" "}
          {minute(preview.computedAt)}. {preview.coverage.grade && GRADES[preview.coverage.grade]}
          {preview.coverage.share && ` Complete for ${valueIn("RATIO", preview.coverage.share)} of the people.`}
        </p>
      </section>
      {preview.warnings.length > 0 && (
        <Notice>
          {preview.warnings.map((warning) => (
            <p key={warning.code + warning.message}>{warning.message}</p>
          ))}
        </Notice>
      )}
      {affected.map((stage) => (
        <StageFigure key={stage.key} stage={stage} preview={preview} requested={requested} />
      ))}
      {same.length > 0 && affected.length > 0 && (
        <p className="aside">Not affected: {same.map(({ title }) => title).join(", ")}.</p>
      )}
      <Kpis preview={preview} />
      <TargetsAndDuties preview={preview} />
      <Sellers preview={preview} />
    </>
  );
}

function range(from: string, before: string): string {
  const last = new Date(before);
  last.setUTCDate(last.getUTCDate() - 1);
  return `${day(from)} to ${day(last.toISOString())}`;
}
