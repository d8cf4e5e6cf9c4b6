import { signInAddress } from "./api.js";

/** The mark: two overlapping circles, for two teams and what they share. */
export function Mark({ size = "1em" }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <circle cx="12" cy="16" r="9" fill="#e8743b" />
      <circle cx="20" cy="16" r="9" fill="#1f6feb" />
      <path d="M16 7.94a9 9 0 0 1 0 16.12 9 9 0 0 1 0-16.12z" fill="#fff" />
    </svg>
  );
}

/** The name of the product, the way to the accord, and the viewer's name, which leads to signing in and out. */
export function Logo({ viewerName }) {
  return (
    <span className="accord-logo">
      <Mark size="24px" />
      Accord
      <a className="accord-page" href="/accord">
        The agreement
      </a>
      <a className="accord-account" href={signInAddress()}>
        {viewerName ?? "Sign in"}
      </a>
    </span>
  );
}
