import type { VersionShown } from "../versions/types";
import { title } from "../ui/words";
import { Clause } from "./Clause";
import { type Margin, marginOf } from "./clauses";

type Stage = VersionShown["stages"][number];

/** The stages from the lowest up, in their groups. */
export function Ladder({ stages, margin }: { stages: readonly Stage[]; margin: Margin }) {
  return (
    <ol className="ladder">
      {stages.map((stage, place) => (
        <li key={stage.key} className={`rung owner-${stage.owner.toLowerCase()}`}>
          {stage.group !== stages[place - 1]?.group && <p className="group">{stage.group}</p>}
          <Rung stage={stage} margin={marginOf(margin, clauseOf(stage))} />
        </li>
      ))}
    </ol>
  );
}

/** The path of a stage in the document. */
export function clauseOf(stage: Stage): string {
  return `stages.${stage.key}`;
}

function Rung({ stage, margin }: { stage: Stage; margin: Margin }) {
  return (
    <Clause clause={clauseOf(stage)} about={stage.title} margin={margin}>
      <article aria-labelledby={`stage-${stage.key}`}>
        <header>
          <h3 id={`stage-${stage.key}`}>{stage.title}</h3>
          <span className="owner">{title(stage.owner)}</span>
        </header>
        <p className="meaning">{stage.meaning}</p>
        <p className="rule">{stage.rule}</p>
        <p className="window">{stage.windowSentence}</p>
        {stage.needs.length > 0 && <p className="window">Filled in: {stage.needs.join(", ")}.</p>}
      </article>
    </Clause>
  );
}
