import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./accord.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { execute, fetchExamples, fetchViewerName } from "./api.js";
import { examplesPlugin } from "./examples.jsx";
import { Logo } from "./logo.jsx";
import { storageFor, variablesText } from "./storage.js";

/** Render the page: the example queries of the first group as tabs, beside the explorer, the documentation and the history. */
async function start() {
  const [{ examples, problem }, viewerName] = await Promise.all([fetchExamples(), fetchViewerName()]);
  const examplesPane = examplesPlugin(examples, problem);
  createRoot(document.getElementById("accord")).render(
    <GraphiQL
      fetcher={execute}
      storage={storageFor(examples)}
      defaultTabs={examples.length ? firstGroup(examples).map(asTab) : undefined}
      defaultQuery={WELCOME}
      plugins={[examplesPane, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN]}
      visiblePlugin={examplesPane}
      defaultEditorToolsVisibility={false}
      schemaDescription
      inputValueDeprecation
    >
      <GraphiQL.Logo>
        <Logo viewerName={viewerName} />
      </GraphiQL.Logo>
    </GraphiQL>,
  );
}

function firstGroup(examples) {
  return examples.filter(({ group }) => group === examples[0].group);
}

function asTab({ query, variables }) {
  return { query, variables: variablesText(variables) };
}

const WELCOME = `# Write a GraphQL query. Ctrl-Space completes, Ctrl-Enter runs.
# The book on the left documents every type and field.
`;

start();
