import { useEffect } from "react";
import { useQuery } from "urql";
import { useAddress } from "./address";
import { Editor } from "./editor/Editor";
import { OverviewDocument, type OverviewQuery } from "./generated/graphql";
import { abilitiesOf } from "./rights";
import { ViewLink } from "./ui/Link";
import { Masthead } from "./ui/Masthead";
import { Failure, Loading, Notice } from "./ui/Notice";
import { isActivating, plannedFor } from "./ui/status";
import { VersionList } from "./versions/VersionList";
import { VersionPage } from "./versions/VersionPage";

const ACTIVATION_POLL_MS = 2_000;
const LONGEST_WAIT_MS = 24 * 3_600_000; // browsers cut longer ones short

/** The whole page. From the moment for which an activation is planned, it is read again until the version is in force. */
export function Page() {
  const [{ data, error, fetching }, readAgain] = useQuery({ query: OverviewDocument });
  const isAwaited = data?.accordVersions.nodes.some(isActivating) ?? false;
  useEffect(() => {
    if (!isAwaited) {
      return undefined;
    }
    const timer = window.setInterval(() => readAgain({ requestPolicy: "network-only" }), ACTIVATION_POLL_MS);
    return () => window.clearInterval(timer);
  }, [isAwaited, readAgain]);
  const planned = data?.accordVersions.nodes.map(plannedFor).find((instant) => instant !== null);
  useEffect(() => {
    if (!planned) {
      return undefined;
    }
    const wait = Math.min(Date.parse(planned) - Date.now() + ACTIVATION_POLL_MS, LONGEST_WAIT_MS);
    const timer = window.setTimeout(() => readAgain({ requestPolicy: "network-only" }), wait);
    return () => window.clearTimeout(timer);
  }, [planned, readAgain]);
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Masthead viewer={data?.viewer} />
      <main id="content" tabIndex={-1}>
        {error && <Failure error={error} />}
        {fetching && !data && <Loading what="the accord" />}
        {data && <Content overview={data} />}
      </main>
    </>
  );
}

function Content({ overview }: { overview: OverviewQuery }) {
  const address = useAddress();
  const versions = overview.accordVersions.nodes;
  const inForce = versions.find((version) => version.status === "ACTIVE");
  const number = address.version ?? inForce?.version ?? versions[0]?.version;
  useEffect(() => {
    document.title = number === undefined ? "The accord" : `Version ${number} · The accord`;
  }, [number]);
  const isEdited = address.view === "edit" || address.view === "propose";
  useEffect(() => {
    window.scrollTo(0, 0);
    // What had the focus may be gone with the view before.
    if (document.activeElement === document.body) {
      document.getElementById("content")?.focus();
    }
  }, [number, isEdited]);
  const abilities = abilitiesOf(overview.viewer);
  const toSign = overview.viewer.accordsToSign.filter(({ version }) => version !== number);
  if (number === undefined) {
    return (
      <>
        <h1>The accord</h1>
        <Notice>
          <p>Nothing is agreed yet. `accord init` or an import with a preset adopts a first version.</p>
        </Notice>
      </>
    );
  }
  if (isEdited) {
    return <Editor key={`${address.view}${number}`} number={number} isNew={address.view === "propose"} abilities={abilities} />;
  }
  return (
    <div className="columns">
      <VersionList versions={versions} shown={number} />
      <div className="sheet">
        {toSign.length > 0 && (
          <Notice>
            <p>
              Waiting for your signature:{" "}
              {toSign.map(({ version }) => (
                <ViewLink key={version} to={{ version, view: "agreement" }}>
                  version {version}
                </ViewLink>
              ))}
            </p>
          </Notice>
        )}
        <VersionPage key={number} number={number} view={address.view} abilities={abilities} versions={versions} />
      </div>
    </div>
  );
}
