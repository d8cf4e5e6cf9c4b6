import { STATUS, isActivating } from "../ui/status";
import { day, minute } from "../ui/words";
import type { VersionShown } from "./types";

/** The title of a version, its status, and where it comes from. */
export function VersionHead({ version }: { version: VersionShown }) {
  return (
    <header className="version-head">
      <p className="eyebrow">
        Version {version.version}
        <span className={`status status-${version.status.toLowerCase()}`}>{STATUS[version.status]}</span>
      </p>
      <h1>{version.title}</h1>
      {version.note && <p className="note">{version.note}</p>}
      <p className="facts">{factsOf(version).join(" ")}</p>
    </header>
  );
}

function factsOf(version: VersionShown): string[] {
  const facts: string[] = [];
  const who = version.proposedBy ? ` by ${version.proposedBy.name}` : "";
  facts.push(`Proposed${who} on ${day(version.proposedAt)}.`);
  if (version.base) {
    facts.push(`${version.from || version.until ? "It replaced" : "It would replace"} version ${version.base.version}.`);
  }
  if (version.from) {
    const until = version.until ? ` until ${minute(version.until)}` : "";
    facts.push(`In force from ${minute(version.from)}${until}.`);
  }
  if (version.activatesAt && version.status === "SIGNED" && !isActivating(version)) {
    facts.push(`It comes into force on ${minute(version.activatesAt)}.`);
  }
  return facts;
}
