import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./accord.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { ask, fetchExamples } from "./api.js";
import { Logo } from "./logo.jsx";
import { questionsPlugin } from "./questions.jsx";
import { storageFor, variablesText } from "./storage.js";

/** The page: the example questions of the data at hand as tabs, beside the explorer, the docs and the history. */
async function start() {
  const { examples, problem } = await fetchExamples();
  const questions = questionsPlugin(examples, problem);
  createRoot(document.getElementById("accord")).render(
    <GraphiQL
      fetcher={ask}
      storage={storageFor(examples)}
      defaultTabs={examples.length ? examples.map(asTab) : undefined}
      defaultQuery={WELCOME}
      plugins={[questions, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN]}
      visiblePlugin={questions}
      defaultEditorToolsVisibility={false}
      schemaDescription
      inputValueDeprecation
    >
      <GraphiQL.Logo>
        <Logo />
      </GraphiQL.Logo>
    </GraphiQL>,
  );
}

function asTab({ query, variables }) {
  return { query, variables: variablesText(variables) };
}

const WELCOME = `# Ask Accord a question. Ctrl-Space completes, Ctrl-Enter runs.
# The book at the left lists every type and field with its meaning.
`;

start();
