const TABS = "graphiql:tabState";

/**
 * The browser's storage, separate for every set of example queries.
 *
 * GraphiQL stores its tabs and prefers them to new default tabs. The tabs of the sample company would stay open after an
 * import, so every set of examples has tabs of its own. They reappear with the data that they belong to.
 */
export function storageFor(examples) {
  const prefix = `accord:${fingerprint(JSON.stringify(examples))}:`;
  const ownKeys = () => Object.keys(window.localStorage).filter((key) => key.startsWith(prefix));
  const storage = {
    getItem: (key) => window.localStorage.getItem(prefix + key),
    setItem: (key, value) => window.localStorage.setItem(prefix + key, value),
    removeItem: (key) => window.localStorage.removeItem(prefix + key),
    clear: () => ownKeys().forEach((key) => window.localStorage.removeItem(key)),
    get length() {
      return ownKeys().length;
    },
  };
  if (storage.getItem(TABS) === null) {
    seed(storage, examples[0]);
  }
  return storage;
}

/** Store what GraphiQL has no property for: the first tab's variables, and the width of the side pane. */
function seed(storage, first) {
  storage.setItem("graphiql:docExplorerFlex", "0.25");
  if (first?.variables) {
    storage.setItem("graphiql:query", first.query);
    storage.setItem("graphiql:variables", variablesText(first.variables));
  }
}

/** The text of the variables editor; empty without variables. */
export function variablesText(variables) {
  return variables && Object.keys(variables).length ? JSON.stringify(variables, null, 2) : "";
}

/** FNV-1a over the text's code units: enough to distinguish a few sets of examples. */
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
