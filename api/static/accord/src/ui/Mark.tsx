/** The mark: two overlapping circles, for two teams and what they share. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <circle cx="12" cy="16" r="9" className="fill-marketing" />
      <circle cx="20" cy="16" r="9" className="fill-sales" />
      <path d="M16 7.94a9 9 0 0 1 0 16.12 9 9 0 0 1 0-16.12z" className="fill-paper" />
    </svg>
  );
}
