import type { Change } from "../versions/types";
import { wordsDiff } from "./words_diff";

type ChangeMark = Change["marks"][number];

const MARKS: Record<string, string> = {
  WIDENS: "Widens",
  NARROWS: "Narrows",
  MOVES: "Moves in time",
  RENAMES: "Renames",
  REPORTING_ONLY: "Reporting only",
  UNKNOWN: "Effect not proven",
};
const KINDS: Record<Change["kind"], string> = { ADDED: "Added", REMOVED: "Removed", CHANGED: "Changed" };

/** What a change does, as a few words in a pill each. */
export function Marks({ marks }: { marks: readonly ChangeMark[] }) {
  return (
    <ul className="marks" aria-label="What it does">
      {marks.map((mark) => (
        <li key={mark} className={`mark mark-${mark.toLowerCase()}`}>
          {MARKS[mark]}
        </li>
      ))}
    </ul>
  );
}

/** One change of a clause: the sentence before and after, with the words that differ. `about` is named beside it. */
export function ChangeNote({ change, about = "" }: { change: Change; about?: string }) {
  return (
    <div className={`change change-${change.kind.toLowerCase()}`}>
      <p className="change-head">
        {[KINDS[change.kind], change.title.replace(`${about}: `, "")].join(": ")}
      </p>
      <Marks marks={change.marks} />
      {change.before && change.after ? (
        <p className="change-text">
          {wordsDiff(change.before, change.after).map((piece, place) => {
            const key = `${place}${piece.kind}`;
            if (piece.kind === "same") {
              return <span key={key}>{piece.text}</span>;
            }
            const Tag = piece.kind === "removed" ? "del" : "ins";
            return (
              <span key={key}>
                <Tag>
                  <span className="spoken">{piece.kind}: </span>
                  {piece.text.trimEnd()}
                </Tag>{" "}
              </span>
            );
          })}
        </p>
      ) : (
        <p className="change-text">{change.before ? <del>{change.before}</del> : <ins>{change.after}</ins>}</p>
      )}
    </div>
  );
}
