import { STATUS } from "../ui/status";
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
    const replaces = version.from || version.until ? "It replaced" : version.withdrawnAt ? "It was to replace" : "It would replace";
    facts.push(`${replaces} version ${version.base.version}.`);
  }
  if (version.from) {
    const until = version.until ? ` until ${minute(version.until)}` : "";
    facts.push(`In force from ${minute(version.from)}${until}.`);
  }
  if (version.withdrawnAt) {
    facts.push(`Withdrawn on ${minute(version.withdrawnAt)}${version.withdrawReason ? `: ${version.withdrawReason}` : "."}`);
  }
  return facts;
}
