import { useEffect, useRef, useState } from "react";
import { useQuery } from "urql";
import type { Address } from "../address";
import { Agreement, ChangeSummary } from "../agreement/Agreement";
import type { Margin } from "../agreement/clauses";
import { CHANGES_WITH_VERSIONS } from "../client";
import { Effect } from "../effect/Effect";
import { ChangesDocument, VersionDocument } from "../generated/graphql";
import type { Abilities } from "../rights";
import { ViewLink } from "../ui/Link";
import { Failure, Loading, Notice } from "../ui/Notice";
import { isActivating, isOpen, plannedFor } from "../ui/status";
import { minute } from "../ui/words";
import { Actions } from "./Actions";
import { Seats } from "./Seats";
import type { VersionListed, VersionShown } from "./types";
import { VersionHead } from "./VersionHead";
import { VersionWarnings } from "./VersionWarnings";

/** One version: who signed it, what can be done with it, its sentences, and what it would change. */
export function VersionPage({
  number,
  view,
  abilities,
  versions,
}: {
  number: number;
  view: Address["view"];
  abilities: Abilities;
  versions: readonly VersionListed[];
}) {
  const [{ data, error, fetching }, readAgain] = useQuery({ query: VersionDocument, variables: { version: number } });
  const [done, setDone] = useState("");
  useEffect(() => setDone(""), [number]);
  const version = data?.accord;
  const listed = versions.find((one) => one.version === number);
  useEffect(() => {
    // The list saw an activation that this version was read before.
    if (version && listed && version.status !== listed.status) {
      readAgain({ requestPolicy: "network-only" });
    }
  }, [listed, version, readAgain]);
  const sheet = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button of an action is gone once the action is done: the focus goes to the sentence about it.
    if (document.activeElement === document.body) {
      sheet.current?.querySelector<HTMLElement>("[data-takes-focus]")?.focus();
    }
  }, [version, done]);
  if (error && !version) {
    return (
      <>
        <h1>Version {number}</h1>
        <Failure error={error} />
        <p>
          <ViewLink to={{ version: null, view: "agreement" }}>Show the version in force</ViewLink>
        </p>
      </>
    );
  }
  if (!version || (fetching && version.version !== number)) {
    return <Loading what={`version ${number}`} />;
  }
  // The first version is beside nothing while it is the one in force.
  const hasEffect = version.status !== "ACTIVE" || version.base !== null;
  const planned = plannedFor(version);
  return (
    <div className="sheet" ref={sheet}>
      <VersionHead version={version} />
      {isActivating(version) && (
        <p className="activating" role="status" data-takes-focus tabIndex={-1}>
          Everybody is being evaluated by this version. It is in force as soon as that is complete.
        </p>
      )}
      {done && (
        <Notice kind="done">
          <p>{done}</p>
        </Notice>
      )}
      {planned && (
        <p className="activating" role="status">
          This version comes into force on <strong>{minute(planned)}</strong>. A revoked signature, an edit or a withdrawal cancels
          it.
        </p>
      )}
      <VersionWarnings warnings={version.warnings} />
      <Seats version={version} />
      <Actions version={version} abilities={abilities} onDone={setDone} />
      <nav className="tabs" aria-label={`Views of version ${number}`}>
        <ViewLink to={{ version: number, view: "agreement" }} isCurrent={view !== "effect" || !hasEffect}>
          Agreement
        </ViewLink>
        {hasEffect && (
          <ViewLink to={{ version: number, view: "effect" }} isCurrent={view === "effect"}>
            Effect
          </ViewLink>
        )}
      </nav>
      {view === "effect" && hasEffect ? (
        <Effect version={version} versions={versions} />
      ) : (
        <AgreementWithChanges version={version} abilities={abilities} />
      )}
    </div>
  );
}

/** The sentences of a version. One that is open is shown beside the version that it would replace. */
function AgreementWithChanges({ version, abilities }: { version: VersionShown; abilities: Abilities }) {
  const base = version.base?.version;
  const [{ data, error, fetching }] = useQuery({
    query: ChangesDocument,
    variables: { a: base ?? version.version, b: version.version },
    context: CHANGES_WITH_VERSIONS,
    pause: base === undefined,
  });
  const margin: Margin = {
    version: version.version,
    changes: base === undefined ? [] : (data?.accordDiff?.changes ?? []),
    comments: version.comments,
    mayWrite: abilities.works && isOpen(version.status),
  };
  return (
    <>
      {error && <Failure error={error} />}
      {fetching && !data && <Loading what="the changes" />}
      {base !== undefined && data?.accordDiff && <ChangeSummary margin={margin} base={base} />}
      <Agreement version={version} margin={margin} />
    </>
  );
}
