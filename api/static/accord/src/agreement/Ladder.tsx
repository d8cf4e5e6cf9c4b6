import type { OverviewQuery } from "../generated/graphql";
import { title } from "../ui/words";

type Stage = NonNullable<OverviewQuery["accord"]>["stages"][number];

/** The stages from the lowest up, in their groups. */
export function Ladder({ stages }: { stages: readonly Stage[] }) {
  return (
    <ol className="ladder">
      {stages.map((stage) => (
        <li key={stage.key} className={`rung owner-${stage.owner.toLowerCase()}`}>
          <article aria-labelledby={`stage-${stage.key}`}>
            <header>
              <h3 id={`stage-${stage.key}`}>{stage.title}</h3>
              <span className="owner">{title(stage.owner)}</span>
            </header>
            <p className="meaning">{stage.meaning}</p>
            <p className="rule">{stage.rule}</p>
            <p className="window">{stage.windowSentence}</p>
          </article>
        </li>
      ))}
    </ol>
  );
}
