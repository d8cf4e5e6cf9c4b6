import { act } from "../actions/act";
import { ActionDialog } from "../actions/ActionDialog";
import { ActivateDialog } from "../actions/ActivateDialog";
import { SignDialog } from "../actions/SignDialog";
import { TextDialog } from "../actions/TextDialog";
import { RequestChangesDocument, RevokeDocument, SubmitDocument, WithdrawDocument } from "../generated/graphql";
import type { Abilities } from "../rights";
import { ViewLink } from "../ui/Link";
import { isActivating, isOpen } from "../ui/status";
import { title } from "../ui/words";
import type { VersionShown } from "./types";

/** What the viewer may do next with a version. `onDone` gets a sentence about what was done, unless the page shows it. */
export function Actions({
  version,
  abilities,
  onDone,
}: {
  version: VersionShown;
  abilities: Abilities;
  onDone: (sentence: string) => void;
}) {
  const { version: number, status } = version;
  if (!abilities.works) {
    return null;
  }
  const mine = version.signatures.find((signature) => !signature.voidedAt && signature.member.id === abilities.memberId);
  const { signsFor } = abilities;
  const maySign =
    signsFor !== null &&
    mine === undefined &&
    version.missingSignatures.includes(signsFor) &&
    (status === "IN_REVIEW" || (status === "ACTIVE" && !version.isSigned));
  const mayRevoke = mine !== undefined && (isOpen(status) || (status === "ACTIVE" && !version.isSigned));
  const mayWithdraw =
    isOpen(status) && (abilities.operates || (version.proposedBy !== null && version.proposedBy.id === abilities.memberId));
  const isWritten = status === "DRAFT" || status === "CHANGES_REQUESTED";
  const hasOpenComments = version.comments.some((comment) => comment.isOpen);
  return (
    <div className="actions">
      <div className="buttons" role="group" aria-label={`Actions for version ${number}`}>
        {maySign && (
          <SignDialog version={version} team={signsFor} onDone={() => onDone(`You signed for ${signsFor.toLowerCase()}.`)} />
        )}
        {isWritten && (
          <ActionDialog
            label="Submit for review"
            look="primary"
            title={`Submit version ${number} for review`}
            confirm="Submit"
            run={() => act(SubmitDocument, { version: number })}
            onDone={() => onDone("Both teams can now review and sign this version.")}
          >
            <p>Both teams are then requested to review the version, to comment on it, and to sign it.</p>
          </ActionDialog>
        )}
        {status === "SIGNED" && abilities.operates && !isActivating(version) && (
          <ActivateDialog version={version} onDone={() => onDone("")} />
        )}
        {isOpen(status) && (
          <ViewLink to={{ version: number, view: "edit" }} className="button button-plain">
            Edit
          </ViewLink>
        )}
        {status === "IN_REVIEW" && (
          <TextDialog
            label="Request changes"
            title={`Request changes of version ${number}`}
            confirm="Request changes"
            field="What has to change, and why"
            run={(text) => act(RequestChangesDocument, { version: number, text })}
            onDone={() => onDone("The version waits for changes now.")}
          >
            <p>
              Your words become a comment on the version. To say which clause you mean, comment on the clause itself before or
              after.
            </p>
          </TextDialog>
        )}
        {mine && mayRevoke && (
          <ActionDialog
            label="Revoke my signature"
            title={`Revoke your signature on version ${number}`}
            confirm="Revoke it"
            run={() => act(RevokeDocument, { version: number })}
            onDone={() =>
              onDone(`Your signature no longer counts.${version.activatesAt ? " The planned activation is cancelled." : ""}`)
            }
          >
            <p>
              Your signature for {title(mine.team).toLowerCase()} stops counting
              {version.activatesAt ? ", and the planned activation is cancelled" : ""}. You can sign again later.
            </p>
          </ActionDialog>
        )}
        {mayWithdraw && (
          <TextDialog
            label="Withdraw"
            look="danger"
            title={`Withdraw version ${number}`}
            confirm="Withdraw"
            field="Why it is withdrawn"
            run={(reason) => act(WithdrawDocument, { version: number, reason })}
            onDone={() => onDone("The version is withdrawn.")}
          >
            <p>
              A withdrawn version stays readable and can never come into force. Its content can be proposed again.
              {version.activatesAt ? " The planned activation is cancelled." : ""}
            </p>
          </TextDialog>
        )}
        {!isOpen(status) && (
          <ViewLink
            to={{ version: number, view: "propose" }}
            className={`button ${status === "ACTIVE" ? "button-primary" : "button-plain"}`}
          >
            {status === "ACTIVE" ? "Propose a change" : "Propose this content again"}
          </ViewLink>
        )}
      </div>
      {maySign && hasOpenComments && <p className="aside">Open comments have to be resolved before anybody can sign.</p>}
    </div>
  );
}
