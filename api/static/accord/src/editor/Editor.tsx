import { useRef, useState } from "react";
import { Button, Input, Label, TextField } from "react-aria-components";
import { useQuery } from "urql";
import { type Outcome, type UserError, act, isDone } from "../actions/act";
import { Problems } from "../actions/Problems";
import { goAfterSaving } from "../address";
import { type AccordTextQuery, AccordTextDocument, EditDocument, ProposeDocument } from "../generated/graphql";
import type { Abilities } from "../rights";
import { ViewLink } from "../ui/Link";
import { Failure, Loading, Notice } from "../ui/Notice";
import { Words } from "../ui/Words";
import { LeaveDialog } from "./LeaveDialog";
import { lineOf } from "./places_in_toml";

type Text = NonNullable<AccordTextQuery["accord"]>;

/** The text of a version: edited where it stands, or the beginning of a new version. */
export function Editor({ number, isNew, abilities }: { number: number; isNew: boolean; abilities: Abilities }) {
  const [{ data, error, fetching }] = useQuery({
    query: AccordTextDocument,
    variables: { version: number },
    // Somebody else may have edited the version since it was read.
    requestPolicy: "network-only",
  });
  const heading = isNew ? "Propose a version" : `Edit version ${number}`;
  if (error) {
    return (
      <div className="sheet">
        <h1>{heading}</h1>
        <Failure error={error} />
      </div>
    );
  }
  if (fetching || !data?.accord) {
    return <Loading what={`the text of version ${number}`} />;
  }
  if (!abilities.works) {
    return (
      <div className="sheet">
        <h1>{heading}</h1>
        <Notice>
          <p>You may read the accord. To propose a version you need the level CONTRIBUTOR and the reach ALL.</p>
          <p>
            <ViewLink to={{ version: number, view: "agreement" }}>Read version {number}</ViewLink>
          </p>
        </Notice>
      </div>
    );
  }
  return <Form text={data.accord} isNew={isNew} heading={heading} />;
}

function Form({ text, isNew, heading }: { text: Text; isNew: boolean; heading: string }) {
  const [toml, setToml] = useState(text.toml);
  const noteBefore = isNew ? "" : (text.note ?? "");
  const [note, setNote] = useState(noteBefore);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isUnsaved = toml !== text.toml || note !== noteBefore;
  const save = async () => {
    if (isBusy) {
      return;
    }
    setBusy(true);
    const written = { document: toml, note: note.trim() || null };
    const found = isNew
      ? await act(ProposeDocument, written)
      : await act(EditDocument, { ...written, version: text.version, expectedVersion: text.rowVersion });
    setBusy(false);
    setOutcome(found);
    if (isDone(found)) {
      goAfterSaving({ version: found.version ?? text.version, view: "agreement" });
    }
  };
  const isSigned = !isNew && (text.status === "SIGNED" || text.status === "IN_REVIEW");
  return (
    <form
      className="editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <LeaveDialog isUnsaved={isUnsaved} />
      <header>
        <p className="eyebrow">{isNew ? `From version ${text.version}` : `Version ${text.version}`}</p>
        <h1>{heading}</h1>
        {isSigned && <p className="facts">Every change of the text ends the signatures that were given on it.</p>}
      </header>
      <TextField className="field" value={note} onChange={setNote}>
        <Label>What it changes, and why</Label>
        <Input />
      </TextField>
      <TomlField
        value={toml}
        onChange={(value) => {
          setToml(value);
          setOutcome(null);
        }}
        problems={outcome?.userErrors ?? []}
      />
      {outcome?.error && <Problems outcome={{ ...outcome, userErrors: [] }} />}
      <div className="buttons editor-buttons">
        <Button type="submit" className="button button-primary">
          {isBusy ? "One moment…" : isNew ? "Propose as a draft" : "Save"}
        </Button>
        <ViewLink to={{ version: text.version, view: "agreement" }} className="button button-plain">
          Cancel
        </ViewLink>
      </div>
    </form>
  );
}

/** The path inside the document that a problem names, such as `stages[2] (mql).window`; empty for the whole document. */
function documentPath({ path }: UserError): string {
  return path.slice(path.indexOf("document") + 1).join(".");
}

/** The document with the numbers of its lines, and beside it what is wrong, each with a way to its line. */
function TomlField({
  value,
  onChange,
  problems,
}: {
  value: string;
  onChange: (value: string) => void;
  problems: readonly UserError[];
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  const lines = value.split("\n");
  const found = problems.map((problem) => {
    const path = documentPath(problem);
    return { problem, path, line: lineOf(value, path) };
  });
  const wrong = new Set(found.map(({ line }) => line));
  const show = (line: number) => {
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field.current?.focus();
    field.current?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  };
  return (
    <div className="toml">
      {found.length > 0 && (
        <div className="toml-problems" role="alert">
          <p>
            <strong>{found.length === 1 ? "One thing is wrong." : `${found.length} things are wrong.`}</strong> Nothing was
            saved.
          </p>
          <ul id="toml-problems">
            {found.map(({ problem, path, line }) => (
              <li key={path + problem.message}>
                {line !== null && (
                  <Button className="button button-small" onPress={() => show(line)}>
                    Line {line}
                  </Button>
                )}
                <span>
                  {path && <code>{path}</code>} <Words text={problem.message} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <label htmlFor="toml">The document, as TOML</label>
      <div className="toml-frame">
        <div className="toml-lines" aria-hidden="true">
          {lines.map((_, index) => (
            <span key={`${index + 1}`} className={wrong.has(index + 1) ? "toml-wrong" : undefined}>
              {index + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={field}
          id="toml"
          value={value}
          onChange={(event) => onChange(event.target.value)}
          rows={lines.length + 1}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          aria-describedby={found.length > 0 ? "toml-problems" : undefined}
          aria-invalid={found.length > 0}
        />
      </div>
    </div>
  );
}
