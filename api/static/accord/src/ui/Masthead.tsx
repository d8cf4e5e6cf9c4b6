import { signInAddress } from "../client";

/** The mark: two overlapping circles, for two teams and what they share. */
function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <circle cx="12" cy="16" r="9" className="fill-marketing" />
      <circle cx="20" cy="16" r="9" className="fill-sales" />
      <path d="M16 7.94a9 9 0 0 1 0 16.12 9 9 0 0 1 0-16.12z" className="fill-paper" />
    </svg>
  );
}

/** The head of the page: the name of the product, and whoever it is shown to. */
export function Masthead({ viewerName }: { viewerName: string | undefined }) {
  return (
    <header className="masthead">
      <a className="brand" href="/accord">
        <Mark />
        Accord
      </a>
      <nav aria-label="Accord">
        <a href="/graphql">Queries</a>
        <a href={signInAddress()}>{viewerName ?? "Sign in"}</a>
      </nav>
    </header>
  );
}
