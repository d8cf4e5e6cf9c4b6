import type { Bucket } from "./types";

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The name of a bucket on an axis: Jan 2026 for a month, 5 Jan for a week or a day. */
export function bucketName(bucket: Bucket, grain: string): string {
  const month = /^(\d{4})-(\d{2})$/.exec(bucket.period ?? "");
  if (month) {
    return MONTH.format(new Date(Number(month[1]), Number(month[2]) - 1, 15));
  }
  const starts = new Date(bucket.startsAt);
  return grain === "MONTH" ? `from ${DAY.format(starts)}` : DAY.format(starts);
}
