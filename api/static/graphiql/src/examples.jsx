import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { Fragment } from "react";

import { variablesText } from "./storage.js";

/** A side pane that lists the example queries by group. A click on one opens its tab. */
export function examplesPlugin(examples, problem) {
  return {
    title: "Examples",
    icon: ExamplesIcon,
    content: () => <Examples examples={examples} problem={problem} />,
  };
}

function Examples({ examples, problem }) {
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const { addTab, changeTab } = useGraphiQLActions();

  const open = ({ query, variables }) => {
    const index = tabs.findIndex((tab) => tab.query === query);
    if (index >= 0) {
      changeTab(index);
      return;
    }
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variablesText(variables));
  };

  return (
    <section aria-label="Examples" className="accord-examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      <p>Sales and marketing, one set of numbers. Open an example, run it, change it.</p>
      {problem && <p role="alert">The example queries could not be loaded. {problem}</p>}
      {[...new Set(examples.map(({ group }) => group))].map((group) => (
        <Fragment key={group}>
          <h3>{group}</h3>
          <ul>
            {examples
              .filter((example) => example.group === group)
              .map((example) => (
                <li key={example.title}>
                  <button
                    type="button"
                    className={tabs[activeTabIndex]?.query === example.query ? "accord-example active" : "accord-example"}
                    onClick={() => open(example)}
                  >
                    {example.title}
                  </button>
                </li>
              ))}
          </ul>
        </Fragment>
      ))}
      <p className="accord-hint">
        <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs · <kbd>Ctrl</kbd> <kbd>Space</kbd> completes · the book above
        documents every field
      </p>
    </section>
  );
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 5.5A1.5 1.5 0 0 1 5.5 4h13A1.5 1.5 0 0 1 20 5.5v10a1.5 1.5 0 0 1-1.5 1.5H12l-4.5 3.5V17h-2A1.5 1.5 0 0 1 4 15.5z" />
      <path d="M9.8 8.6a2.2 2.2 0 1 1 3.3 2c-.7.4-1.1.8-1.1 1.5M12 14.2v.1" strokeLinecap="round" />
    </svg>
  );
}
