import type { ReactNode } from "react";
import { people, whole } from "../ui/words";
import { BucketChart } from "./BucketChart";
import { bucketName } from "./buckets";
import { PeopleDialog } from "./PeopleDialog";
import type { Preview, Requested, StageEffect } from "./types";
import { money, valueIn } from "./values";

/** What a version does to one stage: a picture, the same as a table, the people, and their deals. */
export function StageFigure({ stage, preview, requested }: { stage: StageEffect; preview: Preview; requested: Requested }) {
  const id = `effect-${stage.key}`;
  return (
    <section className="stage-effect" aria-labelledby={id}>
      <h3 id={id}>{stage.title}</h3>
      <div className="legend" aria-hidden="true">
        <span className="key-before">{people(stage.countBefore ?? 0)} before</span>
        <span className={`key-after owner-${stage.owner.toLowerCase()}`}>{people(stage.countAfter ?? 0)} after</span>
        <span className="key-gained">{whole(stage.gained)} gained</span>
        <span className="key-lost">{whole(stage.lost)} lost</span>
      </div>
      <BucketChart stage={stage} grain={preview.grain} />
      <details className="as-table">
        <summary>The numbers as a table</summary>
        <BucketTable stage={stage} grain={preview.grain} />
      </details>
      <div className="buttons">
        <PeopleDialog stage={stage} change="GAINED" count={stage.gained} requested={requested} />
        <PeopleDialog stage={stage} change="LOST" count={stage.lost} requested={requested} />
        <PeopleDialog stage={stage} change="MOVED" count={stage.moved} requested={requested} />
      </div>
      <Money stage={stage} currency={preview.currency} />
      {stage.outcomes.length > 0 && <Outcomes stage={stage} />}
    </section>
  );
}

function BucketTable({ stage, grain }: { stage: StageEffect; grain: string }) {
  return (
    <Table caption={`${stage.title}, before and after`} heads={["Period", "Before", "After", "Gained", "Lost", "Moved"]}>
      {stage.buckets.map((bucket) => (
        <tr key={bucket.startsAt}>
          <th scope="row" className="short">
            {bucketName(bucket, grain)}
          </th>
          <td>{count(bucket.countBefore)}</td>
          <td>{count(bucket.countAfter)}</td>
          <td>{whole(bucket.gained)}</td>
          <td>{whole(bucket.lost)}</td>
          <td>{whole(bucket.moved)}</td>
        </tr>
      ))}
    </Table>
  );
}

function count(value: number | null): string {
  return value === null ? "–" : whole(value);
}

/** Columns below a common head. */
interface HeadGroup {
  title: string;
  heads: readonly string[];
}

/**
 * A table of numbers that can be scrolled sideways by keyboard where it does not fit.
 *
 * `heads` names the columns; those of `groups` come after them. A caption that repeats the heading is only spoken.
 */
export function Table({
  caption,
  isCaptionSpoken = false,
  heads,
  groups = [],
  children,
}: {
  caption: string;
  isCaptionSpoken?: boolean;
  heads: readonly string[];
  groups?: readonly HeadGroup[];
  children: ReactNode;
}) {
  return (
    <div className="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption className={isCaptionSpoken ? "spoken" : undefined}>{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col" rowSpan={groups.length > 0 ? 2 : 1}>
                {head}
              </th>
            ))}
            {groups.map((group) => (
              <th key={group.title} scope="colgroup" colSpan={group.heads.length} className="head-group">
                {group.title}
              </th>
            ))}
          </tr>
          {groups.length > 0 && (
            <tr>
              {groups.flatMap((group) =>
                group.heads.map((head) => (
                  <th key={group.title + head} scope="col" className="number">
                    {head}
                  </th>
                )),
              )}
            </tr>
          )}
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Money({ stage, currency }: { stage: StageEffect; currency: string | null }) {
  const rows = [
    { name: "gained", side: stage.gainedMoney },
    { name: "lost", side: stage.lostMoney },
  ].filter(({ side }) => side.deals > 0);
  if (rows.length === 0) {
    return null;
  }
  return (
    <ul className="money">
      {rows.map(({ name, side }) => (
        <li key={name}>
          The people {name} have {side.deals === 1 ? "1 deal" : `${whole(side.deals)} deals`}:{" "}
          {money(side.pipeline, currency)} open, {money(side.revenue, currency)} won.
        </li>
      ))}
    </ul>
  );
}

function Outcomes({ stage }: { stage: StageEffect }) {
  return (
    <details className="as-table">
      <summary>How well it predicts what comes after</summary>
      <Table
        caption={`Of the people counted as ${stage.title}, how many went on; and of those who went on, how many were counted`}
        heads={["Later stage"]}
        groups={[
          { title: "Went on", heads: ["Before", "After"] },
          { title: "Were counted", heads: ["Before", "After"] },
        ]}
      >
        {stage.outcomes.map((outcome) => (
          <tr key={outcome.stage}>
            <th scope="row">{outcome.title}</th>
            <td>{valueIn("RATIO", outcome.precisionBefore)}</td>
            <td>{valueIn("RATIO", outcome.precisionAfter)}</td>
            <td>{valueIn("RATIO", outcome.recallBefore)}</td>
            <td>{valueIn("RATIO", outcome.recallAfter)}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}
