/**
 * The line of a TOML document that a path leads to, from 1; null if none is found.
 *
 * A path is that of an error, such as `document.stages[2] (mql).rule.all[0].touches.within`, or of a clause, such as
 * `stages.mql.rule`. The text may not be valid TOML, so that this reads headers and keys only: it finds the deepest part
 * of the path that has a line.
 */
export function lineOf(text: string, path: string): number | null {
  const plain = path.replaceAll(/ \([^)]*\)/g, "").replaceAll(/\[(\d+)\]/g, ".$1");
  const steps = plain.split(".").filter((step) => step !== "" && step !== "document");
  const lines = text.split("\n");
  const places = placesOf(lines);
  for (let length = steps.length; length > 0; length -= 1) {
    const wanted = steps.slice(0, length).join(".");
    const found = places.get(wanted);
    if (found !== undefined) {
      return found;
    }
  }
  return null;
}

/** The lines of tables and keys by their paths. A table of an array has both its number and its `key` or `code`. */
function placesOf(lines: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: string[] = [""];
  const note = (path: string, line: number) => {
    if (path !== "" && !places.has(path)) {
      places.set(path, line);
    }
  };
  lines.forEach((text, index) => {
    const line = index + 1;
    const header = /^\s*(\[\[?)\s*([\w.-]+)\s*\]\]?/.exec(text);
    if (header) {
      const names = (header[2] ?? "").split(".");
      if (header[1] === "[[") {
        const parents = aliases(names.slice(0, -1), counts, places);
        const last = names.at(-1) ?? "";
        const array = names.join(".");
        const number = (counts.get(array) ?? -1) + 1;
        counts.set(array, number);
        for (const parent of parents) {
          note(join(parent, last), line);
        }
        table = parents.map((parent) => join(join(parent, last), String(number)));
      } else {
        table = aliases(names, counts, places);
      }
      for (const path of table) {
        note(path, line);
      }
      return;
    }
    const key = /^\s*([\w-]+)\s*=\s*(?:"([^"]*)")?/.exec(text);
    if (key) {
      for (const path of table) {
        note(join(path, key[1] ?? ""), line);
      }
      if ((key[1] === "key" || key[1] === "code") && key[2]) {
        const named = table.map((path) => path.replace(/\d+$/, key[2] as string));
        table = [...table, ...named];
        for (const path of named) {
          note(path, line);
          note(join(path, key[1]), line);
        }
      }
    }
  });
  return places;
}

/** The paths of a table below arrays: the last element of each array counts, as TOML defines it. */
function aliases(names: readonly string[], counts: ReadonlyMap<string, number>, places: ReadonlyMap<string, number>): string[] {
  let paths = [""];
  names.forEach((name, place) => {
    const array = names.slice(0, place + 1).join(".");
    const number = counts.get(array);
    paths = paths.map((path) => join(path, name));
    if (number !== undefined) {
      const lines = paths.flatMap((path) => {
        const start = places.get(`${path}.${number}`);
        const named = [...places].filter(
          ([other, line]) => start !== undefined && line > start && new RegExp(`^${path}\\.[a-zA-Z]\\w*$`).test(other),
        );
        return [`${path}.${number}`, ...named.map(([other]) => other)];
      });
      paths = lines;
    }
  });
  return paths;
}

function join(path: string, step: string): string {
  return path === "" ? step : `${path}.${step}`;
}
