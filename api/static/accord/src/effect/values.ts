import type { KpiUnit } from "../generated/graphql";

const UNITS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
] as const;

/** A value in its unit: 34.5 %, 12.3 days, 1,204, EUR 12,000. */
export function valueIn(unit: KpiUnit, value: string | null | undefined, currency: string | null = null): string {
  if (value === null || value === undefined) {
    return "–";
  }
  const number = Number(value);
  switch (unit) {
    case "RATIO":
      return number.toLocaleString("en-GB", { style: "percent", maximumFractionDigits: 1 });
    case "PERCENT":
      return `${number.toLocaleString("en-GB", { maximumFractionDigits: 1 })} %`;
    case "SECONDS":
      return duration(number);
    case "MONEY":
      return money(value, currency);
    default:
      return number.toLocaleString("en-GB", { maximumFractionDigits: 1 });
  }
}

/** An amount without cents, with its currency if it is known. */
export function money(value: string, currency: string | null): string {
  const amount = Number(value).toLocaleString("en-GB", { maximumFractionDigits: 0 });
  return currency ? `${currency} ${amount}` : amount;
}

/** A duration in the largest unit that it fills: 3.7 days, 5 hours, 40 minutes; 0 if there is none. */
function duration(seconds: number): string {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "second"];
  const count = (seconds / size).toLocaleString("en-GB", { maximumFractionDigits: 1 });
  return seconds === 0 ? "0" : `${count} ${unit}${count === "1" ? "" : "s"}`;
}
