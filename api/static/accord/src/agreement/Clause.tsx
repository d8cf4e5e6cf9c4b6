import type { ReactNode } from "react";
import { ChangeNote } from "./ChangeNote";
import type { Margin } from "./clauses";
import { Comments } from "./Comments";

/** A clause with its sentences, and in the margin what a version changes in it and what people say about it. */
export function Clause({
  clause,
  about,
  margin,
  children,
}: {
  clause: string;
  about: string;
  margin: Margin;
  children: ReactNode;
}) {
  return (
    <div className={`clause ${margin.changes.length > 0 ? "clause-changed" : ""}`}>
      <div className="clause-text">{children}</div>
      <div className="clause-margin">
        {margin.changes.map((change) => (
          <ChangeNote key={change.clause + change.title} change={change} about={about} />
        ))}
        <Comments
          version={margin.version}
          clause={clause}
          about={about}
          comments={margin.comments}
          mayWrite={margin.mayWrite}
        />
      </div>
    </div>
  );
}
