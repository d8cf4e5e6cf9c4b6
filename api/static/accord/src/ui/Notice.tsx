import type { ReactNode } from "react";
import type { CombinedError } from "urql";
import { isGuarded } from "../address";
import { sentences, signInAddress } from "../client";
import { Words } from "./Words";

/** A framed sentence. A problem is announced to screen readers at once, everything else when they come to it. */
export function Notice({ kind = "hint", children }: { kind?: "hint" | "problem" | "done"; children: ReactNode }) {
  return (
    <div
      className={`notice notice-${kind}`}
      role={kind === "problem" ? "alert" : kind === "done" ? "status" : undefined}
      {...(kind === "done" && { tabIndex: -1, "data-takes-focus": true })}
    >
      {children}
    </div>
  );
}

/** What went wrong, as the server words it. */
export function Failure({ error }: { error: CombinedError }) {
  return (
    <Notice kind="problem">
      {sentences(error).map((sentence) => (
        <p key={sentence}>
          <Words text={sentence} />
        </p>
      ))}
      {error.response?.status === 401 && (
        <p>
          {isGuarded() ? (
            <a href={signInAddress()} target="_blank" rel="noreferrer">
              Sign in in another tab, and come back to this one
            </a>
          ) : (
            <a href={signInAddress()}>Sign in</a>
          )}
        </p>
      )}
    </Notice>
  );
}

/** A calm line while something is loading. */
export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      Loading {what}…
    </p>
  );
}
