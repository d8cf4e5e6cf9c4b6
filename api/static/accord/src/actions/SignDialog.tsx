import { useState } from "react";
import { useQuery } from "urql";
import { EffectDocument, SignDocument, type TeamKind } from "../generated/graphql";
import { CHANGES_WITH_VERSIONS } from "../client";
import { effectSentences } from "../effect/sentences";
import { Failure, Loading } from "../ui/Notice";
import { title } from "../ui/words";
import type { VersionShown } from "../versions/types";
import { VersionWarnings } from "../versions/VersionWarnings";
import { act, type Outcome } from "./act";
import { ActionDialog } from "./ActionDialog";

/** Sign a version for one's team, on the preview of exactly this content. */
export function SignDialog({
  version,
  team,
  onDone,
}: {
  version: VersionShown;
  team: TeamKind;
  onDone: (outcome: Outcome) => void;
}) {
  const [isOpened, setOpened] = useState(false);
  const [{ data, error, fetching }] = useQuery({
    query: EffectDocument,
    variables: { version: version.version },
    context: CHANGES_WITH_VERSIONS,
    pause: !isOpened,
  });
  const preview = data?.accordPreview;
  return (
    <ActionDialog
      label={`Sign for ${title(team).toLowerCase()}`}
      look="primary"
      title={`Sign version ${version.version} for ${title(team).toLowerCase()}`}
      confirm="Sign"
      isReady={preview !== undefined && preview !== null && preview.hash === version.hash}
      onOpen={() => setOpened(true)}
      run={() =>
        act(SignDocument, {
          version: version.version,
          hash: version.hash,
          previewId: preview?.id ?? "",
        })
      }
      onDone={onDone}
    >
      <p>
        You sign exactly the content of this version. If anybody edits it, your signature ends. It comes into force only
        when one person of each team has signed.
      </p>
      <p className="hash">
        <span>Content</span> <code>{version.hash}</code>
      </p>
      <VersionWarnings warnings={version.warnings} />
      {fetching && <Loading what="what it changes" />}
      {error && <Failure error={error} />}
      {preview && (
        <div className="effect-summary">
          <h3>What it changes beside version {preview.comparedVersion}, over the last three months</h3>
          <ul>
            {effectSentences(preview).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      )}
    </ActionDialog>
  );
}
