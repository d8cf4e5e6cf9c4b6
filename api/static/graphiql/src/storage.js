const TABS = "graphiql:tabState";

/**
 * The browser's storage, apart per set of example questions.
 *
 * GraphiQL keeps its tabs and prefers them to new defaults. Tabs that asked the sample company would stay open over an
 * imported file, so each set of questions has tabs of its own, and one comes back to them with its data.
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

/** What GraphiQL does not take from its properties: the first tab's variables, and a side pane that is not a third. */
function seed(storage, first) {
  storage.setItem("graphiql:docExplorerFlex", "0.25");
  if (first?.variables) {
    storage.setItem("graphiql:query", first.query);
    storage.setItem("graphiql:variables", variablesText(first.variables));
  }
}

/** Variables as an editor shows them; none is an empty editor. */
export function variablesText(variables) {
  return variables && Object.keys(variables).length ? JSON.stringify(variables, null, 2) : "";
}

/** FNV-1a over the text's code units: enough to tell a handful of question sets apart. */
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
