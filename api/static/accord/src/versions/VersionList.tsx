import { Disclosure, DisclosurePanel, Button, Heading } from "react-aria-components";
import type { Address } from "../address";
import { ViewLink } from "../ui/Link";
import { STATUS, plannedFor } from "../ui/status";
import { useIsWide } from "../ui/useIsWide";
import { day, minute } from "../ui/words";
import type { VersionListed } from "./types";

/** All versions, newest first. Beside the content where there is room, else behind a button. */
export function VersionList({ versions, shown }: { versions: readonly VersionListed[]; shown: number }) {
  const isWide = useIsWide();
  if (isWide) {
    return (
      <nav className="versions" aria-labelledby="versions">
        <h2 id="versions">Versions</h2>
        <Entries versions={versions} shown={shown} />
      </nav>
    );
  }
  return (
    <Disclosure className="versions versions-narrow">
      <Heading level={2}>
        <Button slot="trigger" className="button">
          Versions ({versions.length})
          <span aria-hidden="true" className="chevron" />
        </Button>
      </Heading>
      <DisclosurePanel>
        <nav aria-label="Versions">
          <Entries versions={versions} shown={shown} />
        </nav>
      </DisclosurePanel>
    </Disclosure>
  );
}

function Entries({ versions, shown }: { versions: readonly VersionListed[]; shown: number }) {
  return (
    <ol>
      {versions.map((version) => (
        <li key={version.version}>
          <ViewLink to={addressOfVersion(version)} isCurrent={version.version === shown} className="version-link">
            <span className="version-number">Version {version.version}</span>
            <span className={`status status-${version.status.toLowerCase()}`}>{STATUS[version.status]}</span>
            <span className="version-when">{whenOf(version)}</span>
            {version.note && <span className="version-note">{version.note}</span>}
          </ViewLink>
        </li>
      ))}
    </ol>
  );
}

function addressOfVersion(version: VersionListed): Address {
  return { version: version.version, view: "agreement" };
}

function whenOf(version: VersionListed): string {
  if (version.status === "ACTIVE") {
    return version.from ? `since ${day(version.from)}` : version.isSigned ? "from the beginning" : "provisionally";
  }
  if (version.status === "SUPERSEDED" && version.until) {
    return `until ${day(version.until)}`;
  }
  const planned = plannedFor(version);
  if (planned) {
    return `in force from ${minute(planned)}`;
  }
  return `proposed ${day(version.proposedAt)}`;
}
