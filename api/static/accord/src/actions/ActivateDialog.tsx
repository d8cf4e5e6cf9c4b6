import { useState } from "react";
import { Input, Label, Radio, RadioGroup, TextField } from "react-aria-components";
import { ActivateDocument } from "../generated/graphql";
import type { VersionShown } from "../versions/types";
import { act } from "./act";
import { ActionDialog } from "./ActionDialog";

/** Bring a signed version into force, now or at a later time. */
export function ActivateDialog({ version, onDone }: { version: VersionShown; onDone: () => void }) {
  const [when, setWhen] = useState("now");
  const [at, setAt] = useState("");
  const isLater = when === "later";
  return (
    <ActionDialog
      label={version.activatesAt ? "Activate at another time" : "Activate"}
      look="primary"
      title={`Bring version ${version.version} into force`}
      confirm={isLater ? "Plan the activation" : "Activate now"}
      isReady={!isLater || at !== ""}
      run={() => act(ActivateDocument, { version: version.version, at: isLater ? new Date(at).toISOString() : null })}
      onDone={onDone}
    >
      <p>From that moment everybody is counted by this version. What was counted before stays as it was.</p>
      <RadioGroup className="radios" value={when} onChange={setWhen}>
        <Label>When</Label>
        <Radio value="now">Now</Radio>
        <Radio value="later">At a later time</Radio>
      </RadioGroup>
      {isLater && (
        <TextField className="field" value={at} onChange={setAt} type="datetime-local" isRequired>
          <Label>Date and time, in your time zone ({Intl.DateTimeFormat().resolvedOptions().timeZone})</Label>
          <Input />
        </TextField>
      )}
    </ActionDialog>
  );
}
