import { type ReactNode, useState } from "react";
import { Label, TextArea, TextField } from "react-aria-components";
import type { Outcome } from "./act";
import { ActionDialog } from "./ActionDialog";

/** An action that needs a few words, such as a reason. */
export function TextDialog({
  label,
  look,
  title,
  confirm,
  field,
  run,
  onDone,
  children,
}: {
  label: string;
  look?: "plain" | "danger";
  title: string;
  confirm: string;
  field: string;
  run: (text: string) => Promise<Outcome>;
  onDone: (outcome: Outcome) => void;
  children: ReactNode;
}) {
  const [text, setText] = useState("");
  return (
    <ActionDialog
      label={label}
      look={look ?? "plain"}
      title={title}
      confirm={confirm}
      isReady={text.trim() !== ""}
      run={() => run(text.trim())}
      onDone={(outcome) => {
        setText("");
        onDone(outcome);
      }}
    >
      {children}
      <TextField className="field" value={text} onChange={setText} isRequired>
        <Label>{field}</Label>
        <TextArea rows={4} />
      </TextField>
    </ActionDialog>
  );
}
