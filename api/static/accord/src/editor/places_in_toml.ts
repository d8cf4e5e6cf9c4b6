/**
 * The line of a TOML document that a path leads to, from 1; null if none is found.
 *
 * A path is that of an error, such as `stages[2] (mql).rule.all[0].touches.within`. The text may not be valid TOML, so
 * that this reads headers and keys only: it finds the deepest part of the path that has a line.
 */
export function lineOf(text: string, path: string): number | null {
  const plain = path.replaceAll(/ \([^)]*\)/g, "").replaceAll(/\[(\d+)\]/g, ".$1");
  const steps = plain.split(".").filter((step) => step !== "");
  const places = placesOf(text.split("\n"));
  for (let length = steps.length; length > 0; length -= 1) {
    const found = places.get(steps.slice(0, length).join("."));
    if (found !== undefined) {
      return found;
    }
  }
  return null;
}

/** The lines of tables and keys by their paths, such as `stages.2` and `stages.2.window`. */
function placesOf(lines: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  const lastOf = new Map<string, number>(); // the number of the last table of an array
  let table = "";
  const note = (path: string, line: number) => {
    if (!places.has(path)) {
      places.set(path, line);
    }
  };
  lines.forEach((text, index) => {
    const line = index + 1;
    const header = /^\s*(\[\[?)\s*([\w.-]+)\s*\]/.exec(text);
    const key = /^\s*([\w-]+)\s*=/.exec(text);
    if (header) {
      const name = header[2] ?? "";
      if (header[1] === "[[") {
        lastOf.set(name, (lastOf.get(name) ?? -1) + 1);
        note(pathOf(name.split(".").slice(0, -1), name, lastOf), line);
      }
      table = pathOf(name.split("."), "", lastOf);
      note(table, line);
    } else if (key) {
      note(table === "" ? (key[1] ?? "") : `${table}.${key[1]}`, line);
    }
  });
  return places;
}

/** The path of a table: below an array it belongs to the last table of it, as TOML defines. */
function pathOf(names: readonly string[], array: string, lastOf: ReadonlyMap<string, number>): string {
  const path = names.map((name, place) => {
    const last = lastOf.get(names.slice(0, place + 1).join("."));
    return last === undefined ? name : `${name}.${last}`;
  });
  return [...path, ...array.split(".").slice(-1)].filter((step) => step !== "").join(".");
}
