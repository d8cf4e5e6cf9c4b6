import { signInAddress } from "../client";
import type { Viewer } from "../rights";
import { Mark } from "./Mark";
import { title } from "./words";

/** The head of the page: the name of the product, and whoever it is shown to. */
export function Masthead({ viewer }: { viewer: Viewer | undefined }) {
  const team = viewer?.member?.team;
  return (
    <header className="masthead">
      <a className="brand" href="/accord">
        <Mark />
        Accord
      </a>
      <nav aria-label="Pages of Accord">
        <a href="/graphql">Queries</a>
        <a href={signInAddress()}>
          {viewer ? (
            <>
              {viewer.name}
              {team && <span className={`team team-${team.kind.toLowerCase()}`}> · {title(team.kind)}</span>}
            </>
          ) : (
            "Sign in"
          )}
        </a>
      </nav>
    </header>
  );
}
