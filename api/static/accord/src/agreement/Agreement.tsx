import type { VersionShown } from "../versions/types";
import { ChangeNote, Marks } from "./ChangeNote";
import { Clause } from "./Clause";
import { type Margin, marginOf, restOf } from "./clauses";
import { Comments } from "./Comments";
import { Ladder, clauseOf } from "./Ladder";

interface Article {
  clause: string;
  title: string;
  sentences: readonly string[];
}

/** The whole agreement as the sentences that both teams sign, with its changes and comments in the margin. */
export function Agreement({ version, margin }: { version: VersionShown; margin: Margin }) {
  const articles = articlesOf(version).filter(
    ({ clause, sentences }) => sentences.length > 0 || marginOf(margin, clause).changes.length > 0,
  );
  const rest = restOf(margin, [...version.stages.map(clauseOf), ...articles.map(({ clause }) => clause)]);
  return (
    <div className="agreement">
      <Rest margin={rest} />
      <section aria-labelledby="stages">
        <h2 id="stages">The ladder</h2>
        <Ladder stages={version.stages} margin={margin} />
      </section>
      {articles.map(({ clause, title, sentences }) => (
        <section key={clause} aria-labelledby={clause} className="article">
          <Clause clause={clause} about={title} margin={marginOf(margin, clause)}>
            <h2 id={clause}>{title}</h2>
            <ul className="sentences">
              {sentences.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
            {sentences.length === 0 && <p className="aside">Nothing is agreed here.</p>}
          </Clause>
        </section>
      ))}
    </div>
  );
}

/** The sections after the ladder, in the order in which the two teams work. */
function articlesOf(version: VersionShown): Article[] {
  return [
    { clause: "exits", title: "What ends a stage", sentences: version.exits.map(({ sentence }) => sentence) },
    { clause: "handoff", title: "What the teams owe each other", sentences: version.handoff?.sentences ?? [] },
    {
      clause: "reject_reasons",
      title: "Reasons to reject a handoff",
      sentences: version.rejectReasons.map(({ sentence }) => sentence),
    },
    {
      clause: "calendars",
      title: "Opening times and holidays",
      sentences: version.calendars.flatMap(({ sentences }) => sentences),
    },
    {
      clause: "contact_policy",
      title: "How often a person may be touched",
      sentences: version.contactPolicy?.sentences ?? [],
    },
    { clause: "attribution", title: "How deals are credited", sentences: version.attribution?.sentences ?? [] },
    { clause: "targets", title: "Targets", sentences: version.targets.map(({ sentence }) => sentence) },
    {
      clause: "economics",
      title: "What revenue leaves and sales costs",
      sentences: version.economics?.sentences ?? [],
    },
    { clause: "reporting", title: "How results are reported", sentences: version.reporting.sentences },
  ];
}

/** What belongs to no clause of this version: changes of removed clauses, and comments on the whole. */
function Rest({ margin }: { margin: Margin }) {
  if (margin.changes.length === 0 && margin.comments.length === 0 && !margin.mayWrite) {
    return null;
  }
  return (
    <section aria-label="About the whole version" className="rest">
      {margin.changes.map((change) => (
        <ChangeNote key={change.clause + change.title} change={change} />
      ))}
      <Comments
        version={margin.version}
        clause={null}
        about="the whole version"
        comments={margin.comments}
        mayWrite={margin.mayWrite}
      />
    </section>
  );
}

/** How many clauses a version changes, and what the changes do. */
export function ChangeSummary({ margin, base }: { margin: Margin; base: number }) {
  const count = margin.changes.length;
  if (count === 0) {
    return <p className="change-summary">This version has the content of version {base}.</p>;
  }
  return (
    <div className="change-summary">
      <p>
        {count === 1 ? "One change" : `${count} changes`} beside version {base}
      </p>
      <Marks marks={[...new Set(margin.changes.flatMap(({ marks }) => marks))]} />
    </div>
  );
}
