const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const TO_THE_MINUTE = {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
} as const;

/** A date or an instant as a day, such as 3 October 2026. */
export function day(value: string): string {
  return DAY.format(new Date(value));
}

/** An instant to the minute, in a time zone or else in the reader's, such as 3 Oct 2026, 14:05. */
export function minute(value: string, timeZone?: string): string {
  return new Intl.DateTimeFormat("en-GB", { ...TO_THE_MINUTE, timeZone }).format(new Date(value));
}

/** A number of people with its noun, such as 1 person or 2,310 people. */
export function people(count: number): string {
  return `${whole(count)} ${count === 1 ? "person" : "people"}`;
}

/** A whole number with thousands separators. */
export function whole(count: number): string {
  return count.toLocaleString("en-GB", { maximumFractionDigits: 0 });
}

/** A word of the contract in plain English, such as `in review` for IN_REVIEW. */
export function plain(word: string): string {
  return word.toLowerCase().replaceAll("_", " ");
}

/** The same with a capital letter. */
export function title(word: string): string {
  const text = plain(word);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
