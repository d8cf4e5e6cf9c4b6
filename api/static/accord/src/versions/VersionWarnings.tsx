import { Notice } from "../ui/Notice";
import { Words } from "../ui/Words";

/** What to know about a version before it is signed; nothing if there is nothing. */
export function VersionWarnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <Notice>
      {warnings.map((warning) => (
        <p key={warning}>
          <Words text={warning} />
        </p>
      ))}
    </Notice>
  );
}
