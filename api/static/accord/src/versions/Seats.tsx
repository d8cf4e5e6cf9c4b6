import type { TeamKind } from "../generated/graphql";
import { isOpen } from "../ui/status";
import { minute, title } from "../ui/words";
import type { VersionShown } from "./types";

const TEAMS: readonly TeamKind[] = ["MARKETING", "SALES"];

/** Who has signed, and whose signature is missing. */
export function Seats({ version }: { version: VersionShown }) {
  return (
    <section className="seats" aria-label="Signatures">
      {TEAMS.map((team) => (
        <Seat key={team} version={version} team={team} />
      ))}
    </section>
  );
}

function Seat({ version, team }: { version: VersionShown; team: TeamKind }) {
  const valid = version.signatures.find((signature) => signature.team === team && signature.voidedAt === null);
  const voided = version.signatures.filter((signature) => signature.team === team && signature.voidedAt !== null).at(-1);
  const isAwaited = isOpen(version.status) || version.status === "ACTIVE";
  return (
    <div className={`seat owner-${team.toLowerCase()} ${valid ? "seat-signed" : "seat-empty"}`}>
      <p className="owner">{title(team)}</p>
      {valid ? (
        <>
          <p className="signature">{valid.member.name}</p>
          <p className="seat-when">signed {minute(valid.signedAt)}</p>
        </>
      ) : (
        <>
          <p className="signature-missing">Not signed{isAwaited ? (voided ? " any more" : " yet") : ""}</p>
          {voided && (
            <p className="seat-when">
              {voided.member.name} had signed. {voided.voidReason}
            </p>
          )}
        </>
      )}
    </div>
  );
}
