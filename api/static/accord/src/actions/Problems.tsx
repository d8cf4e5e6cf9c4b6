import { codes, signInAgainAddress } from "../client";
import { Failure, Notice } from "../ui/Notice";
import { Words } from "../ui/Words";
import type { Outcome } from "./act";

/** What the server refused, in its words, and the way to a fresh sign-in where that is what is missing. */
export function Problems({ outcome }: { outcome: Outcome | null }) {
  if (outcome === null) {
    return null;
  }
  return (
    <>
      {outcome.error && <Failure error={outcome.error} />}
      {codes(outcome.error).includes("SIGN_IN_AGAIN") && (
        <p>
          <a className="button button-primary" href={signInAgainAddress()}>
            Sign in again and come back
          </a>
        </p>
      )}
      {outcome.userErrors.length > 0 && (
        <Notice kind="problem">
          {outcome.userErrors.map((problem) => (
            <p key={problem.path.join(".") + problem.message}>
              <Words text={problem.message} />
            </p>
          ))}
        </Notice>
      )}
    </>
  );
}
