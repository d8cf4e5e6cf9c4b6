import type { Bucket } from "./types";

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The name of a bucket in a table: Jan 2026 for a month, 5 Jan for a week or a day. */
export function bucketName(bucket: Bucket, grain: string): string {
  const [name, year] = partsOf(bucket, grain);
  return year ? `${name} ${year}` : name;
}

/**
 * The lines below an axis by the start of the bucket, for every n-th bucket: the name, and the year of a month where
 * another one begins.
 */
export function namedBuckets(buckets: readonly Bucket[], grain: string, every: number): Map<string, string[]> {
  const named = new Map<string, string[]>();
  let former: string | null = null;
  buckets.forEach((bucket, place) => {
    if (place % every === 0) {
      const [name, year] = partsOf(bucket, grain);
      named.set(bucket.startsAt, year && year !== former ? [name, year] : [name]);
      former = year;
    }
  });
  return named;
}

function partsOf(bucket: Bucket, grain: string): [string, string | null] {
  const month = /^(\d{4})-(\d{2})$/.exec(bucket.period ?? "");
  if (month) {
    return [MONTH.format(Date.UTC(Number(month[1]), Number(month[2]) - 1)), month[1] ?? null];
  }
  const start = DAY.format(new Date(bucket.startsAt));
  return [grain === "MONTH" ? `from ${start}` : start, null];
}
