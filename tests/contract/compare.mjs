// Classify what changed between two contracts: node compare.mjs OLD.graphql NEW.graphql [--today=YYYY-MM-DD]
//
// Exit 1 if anything that a client may use was taken away or narrowed, unless the old contract had marked it as
// @deprecated(reason: "… until YYYY-MM-DD") and that day has passed; and if a deprecation of the new one has no such day.
import { readFileSync } from "node:fs";

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema, getNamedType, isSpecifiedScalarType } from "graphql";

const REMOVALS = new Set(["FIELD_REMOVED", "FIELD_ARGUMENT_REMOVED", "ENUM_VALUE_REMOVED", "INPUT_FIELD_REMOVED"]);
const LEVELS = [
  [CriticalityLevel.Breaking, "breaking"],
  [CriticalityLevel.Dangerous, "dangerous"],
  [CriticalityLevel.NonBreaking, "safe"],
];

const words = process.argv.slice(2);
const [oldPath, newPath] = words.filter((word) => !word.startsWith("--"));
const today = words.find((word) => word.startsWith("--today="))?.slice(8) ?? new Date().toISOString().slice(0, 10);

/** Everything in a schema that can be deprecated, by its path, with its reason and the type that it uses. */
function parts(schema) {
  const found = new Map();
  const add = (owner, path, element) =>
    found.set(path, { owner, reason: element.deprecationReason, uses: element.type && getNamedType(element.type).name });
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__") || isSpecifiedScalarType(type)) continue;
    for (const value of type.getValues?.() ?? []) add(type.name, `${type.name}.${value.name}`, value);
    for (const field of Object.values(type.getFields?.() ?? {})) {
      add(type.name, `${type.name}.${field.name}`, field);
      for (const argument of field.args ?? []) add(type.name, `${type.name}.${field.name}.${argument.name}`, argument);
    }
  }
  return found;
}

const until = (reason) => reason?.match(/\buntil (\d{4}-\d{2}-\d{2})\b/)?.[1];

/** Whether a part was deprecated long enough; an argument is over with its field too. */
function isOver(path, old) {
  const day = until(old.get(path)?.reason);
  if (day !== undefined && day < today) return true;
  const [type, field, argument] = path.split(".");
  return argument !== undefined && isOver(`${type}.${field}`, old);
}

/** The removed types that nothing reached any more but parts that were over, and other such types. */
function abandoned(removed, old) {
  const types = new Set(removed);
  for (let size = -1; size !== types.size; ) {
    size = types.size;
    for (const [path, { owner, uses }] of old) {
      if (types.has(uses) && !types.has(owner) && !isOver(path, old)) types.delete(uses);
    }
  }
  return types;
}

const [before, after] = [oldPath, newPath].map((path) => buildSchema(readFileSync(path, "utf8")));
const old = parts(before);
// What is new is told once, without its description.
const isTold = (each) => !each.type.includes("DESCRIPTION") || old.has(each.path) || before.getType(each.path);
const changes = (await diff(before, after)).filter(isTold);
const gone = abandoned(changes.filter((each) => each.type === "TYPE_REMOVED").map((each) => each.path), old);
const isAllowed = (each) =>
  (REMOVALS.has(each.type) && isOver(each.path, old)) || (each.type === "TYPE_REMOVED" && gone.has(each.path));

const refused = [];
for (const [level, word] of LEVELS) {
  for (const each of changes.filter(({ criticality }) => criticality.level === level)) {
    const isRefused = level === CriticalityLevel.Breaking && !isAllowed(each);
    console.log(`${isRefused ? "BREAKING" : word.padEnd(8)}  ${each.message}`);
    if (!isRefused) continue;
    const day = until(old.get(each.path)?.reason);
    refused.push(day ? `${each.path}: deprecated until ${day}, which has not passed` : `${each.path}: not deprecated with a day before`);
  }
}
for (const [path, { reason }] of parts(after)) {
  if (reason != null && !until(reason)) refused.push(`${path}: its deprecation says no day ("… until YYYY-MM-DD")`);
}
if (!changes.length) console.log("The contract is as it was.");
if (refused.length) {
  console.error(`\nThis breaks clients without notice:\n${refused.map((each) => `  ${each}`).join("\n")}`);
  console.error('Keep what was there, marked @deprecated(reason: "… until YYYY-MM-DD"), and remove it once that day has passed.');
  process.exit(1);
}
