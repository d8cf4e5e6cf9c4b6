import type { Change, Comment } from "../versions/types";

/** What people added to one clause of a version: the changes that it makes, and comments. */
export interface Margin {
  version: number;
  changes: readonly Change[];
  comments: readonly Comment[];
  mayWrite: boolean;
}

/** The part of a margin that belongs to a clause or to what is inside it. */
export function marginOf(margin: Margin, ...clauses: readonly string[]): Margin {
  const belongs = ({ clause }: { clause: string | null }) => clauses.some((one) => isInside(clause, one));
  return { ...margin, changes: margin.changes.filter(belongs), comments: margin.comments.filter(belongs) };
}

/** The part of a margin that belongs to none of the clauses, such as changes of a clause that was removed. */
export function restOf(margin: Margin, clauses: readonly string[]): Margin {
  const isLeft = ({ clause }: { clause: string | null }) => !clauses.some((one) => isInside(clause, one));
  return { ...margin, changes: margin.changes.filter(isLeft), comments: margin.comments.filter(isLeft) };
}

/** Whether a path is that of a clause or of a part of it: `stages.mql.rule` is inside `stages.mql`. */
function isInside(path: string | null, clause: string): boolean {
  if (path === null) {
    return false; // about the document as a whole
  }
  return path === clause || path.startsWith(`${clause}.`) || path.startsWith(`${clause}[`);
}
