import { useRef, useState } from "react";
import { Button, Disclosure, DisclosurePanel, Label, TextArea, TextField } from "react-aria-components";
import { type Outcome, act, isDone } from "../actions/act";
import { Problems } from "../actions/Problems";
import { CommentDocument, ResolveDocument } from "../generated/graphql";
import { minute, title } from "../ui/words";
import type { Comment } from "../versions/types";

/** The comments on a clause, or on the whole document if the clause is null, and the form to write one. */
export function Comments({
  version,
  clause,
  about,
  comments,
  mayWrite,
}: {
  version: number;
  clause: string | null;
  about: string;
  comments: readonly Comment[];
  mayWrite: boolean;
}) {
  const open = comments.filter((comment) => comment.isOpen);
  const resolved = comments.filter((comment) => !comment.isOpen);
  if (comments.length === 0 && !mayWrite) {
    return null;
  }
  return (
    <div className="comments" role="group" aria-label={`Comments on ${about}`} tabIndex={-1}>
      {open.length > 0 && (
        <ul aria-label={`Open comments on ${about}`}>
          {open.map((comment) => (
            <li key={comment.id}>
              <CommentShown comment={comment} mayResolve={mayWrite} />
            </li>
          ))}
        </ul>
      )}
      {resolved.length > 0 && (
        <details className="resolved">
          <summary>{resolved.length === 1 ? "1 resolved comment" : `${resolved.length} resolved comments`}</summary>
          <ul>
            {resolved.map((comment) => (
              <li key={comment.id}>
                <CommentShown comment={comment} mayResolve={false} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {mayWrite && <CommentForm version={version} clause={clause} about={about} />}
    </div>
  );
}

function CommentShown({ comment, mayResolve }: { comment: Comment; mayResolve: boolean }) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  return (
    <div className={`comment ${comment.isOpen ? "comment-open" : ""}`}>
      <p className="comment-head">
        <strong>{comment.member?.name ?? "The operator of the server"}</strong>
        {comment.member?.team && ` (${title(comment.member.team)})`}, {minute(comment.writtenAt)}
      </p>
      <p className="comment-text">{comment.text}</p>
      {comment.resolvedAt && (
        <p className="comment-head">
          Resolved by {comment.resolvedBy?.name ?? "the operator of the server"}, {minute(comment.resolvedAt)}
        </p>
      )}
      <Problems outcome={outcome} />
      {mayResolve && comment.isOpen && (
        <Button
          className="button button-small"
          onPress={async ({ target }) => {
            // The button is about to go: the focus stays with the comments of the clause.
            const comments = target.closest<HTMLElement>(".comments");
            const found = await act(ResolveDocument, { id: comment.id });
            setOutcome(found);
            if (isDone(found)) {
              comments?.focus();
            }
          }}
        >
          Resolve
        </Button>
      )}
    </div>
  );
}

function CommentForm({ version, clause, about }: { version: number; clause: string | null; about: string }) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const write = async () => {
    const found = await act(CommentDocument, { version, clause, text: text.trim() });
    setOutcome(found);
    if (isDone(found)) {
      setText("");
      setOpen(false);
      trigger.current?.focus();
    }
  };
  return (
    <Disclosure className="comment-form" isExpanded={isOpen} onExpandedChange={setOpen}>
      <Button slot="trigger" className="button-quiet" ref={trigger}>
        Comment{clause === null ? ` on ${about}` : <span className="spoken"> on {about}</span>}
      </Button>
      <DisclosurePanel>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void write();
          }}
        >
          <TextField className="field" value={text} onChange={setText} isRequired>
            <Label>Your comment on {about}</Label>
            <TextArea rows={3} />
          </TextField>
          <Problems outcome={outcome} />
          <Button type="submit" className="button button-primary button-small" isDisabled={text.trim() === ""}>
            Write the comment
          </Button>
        </form>
      </DisclosurePanel>
    </Disclosure>
  );
}
