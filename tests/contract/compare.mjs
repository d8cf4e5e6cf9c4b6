// Classify the changes between two contracts: node compare.mjs OLD.graphql NEW.graphql [--today=YYYY-MM-DD]
//
// Exit with 1 if something that a client may use was removed or narrowed, unless the old contract had it as
// @deprecated(reason: "… until YYYY-MM-DD") and that day has passed; or if a deprecation in the new one has no such day.
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

/** Every part of a schema that can be deprecated, by path: its owner, the deprecation reason, and the type it uses. */
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

/** Whether the last day of a part has passed. An argument may go with its field. */
function isOver(path, old) {
  const day = until(old.get(path)?.reason);
  if (day !== undefined && day < today) return true;
  const [type, field, argument] = path.split(".");
  return argument !== undefined && isOver(`${type}.${field}`, old);
}

/** The removed types that only expired parts, and other such types, still used. */
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
// A new part is listed once, without its description.
const isListed = (change) => !change.type.includes("DESCRIPTION") || old.has(change.path) || before.getType(change.path);
const changes = (await diff(before, after)).filter(isListed);
const gone = abandoned(changes.filter((change) => change.type === "TYPE_REMOVED").map((change) => change.path), old);
const isAllowed = (change) =>
  (REMOVALS.has(change.type) && isOver(change.path, old)) || (change.type === "TYPE_REMOVED" && gone.has(change.path));

const rejected = [];
for (const [level, word] of LEVELS) {
  for (const change of changes.filter(({ criticality }) => criticality.level === level)) {
    const isRejected = level === CriticalityLevel.Breaking && !isAllowed(change);
    console.log(`${isRejected ? "BREAKING" : word.padEnd(8)}  ${change.message}`);
    if (!isRejected) continue;
    const day = until(old.get(change.path)?.reason);
    const reason = day ? `deprecated until ${day}, which has not passed` : "not deprecated with a last day before";
    rejected.push(`${change.path}: ${reason}`);
  }
}
for (const [path, { reason }] of parts(after)) {
  if (reason != null && !until(reason)) rejected.push(`${path}: its deprecation has no last day ("… until YYYY-MM-DD")`);
}
if (!changes.length) console.log("The contract is unchanged.");
if (rejected.length) {
  console.error(`\nThis breaks clients without notice:\n${rejected.map((line) => `  ${line}`).join("\n")}`);
  console.error('Keep these parts with @deprecated(reason: "… until YYYY-MM-DD"), and remove them after that day.');
  process.exit(1);
}
