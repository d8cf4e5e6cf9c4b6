import type { MouseEvent, ReactNode } from "react";
import { type Address, addressOf, go } from "../address";

/** A link to a view of this page, which is shown without loading the page again. */
export function ViewLink({
  to,
  className,
  isCurrent,
  children,
}: {
  to: Address;
  className?: string;
  isCurrent?: boolean;
  children: ReactNode;
}) {
  const follow = (event: MouseEvent) => {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      go(to);
    }
  };
  return (
    <a href={addressOf(to)} className={className} aria-current={isCurrent ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
