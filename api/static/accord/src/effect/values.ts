import type { KpiUnit } from "../generated/graphql";

const SECONDS_A_DAY = 86_400;

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
      return days(number);
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

function days(seconds: number): string {
  const count = seconds / SECONDS_A_DAY;
  return count >= 1
    ? `${count.toLocaleString("en-GB", { maximumFractionDigits: 1 })} days`
    : `${(seconds / 3600).toLocaleString("en-GB", { maximumFractionDigits: 1 })} hours`;
}
