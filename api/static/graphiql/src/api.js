import { parse } from "graphql";

const ENDPOINT = window.location.pathname.replace(/\/+$/, "");

/** Send a GraphQL request to the server of this page. A response that is not JSON becomes a GraphQL error. */
export async function execute(parameters, options) {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...options?.headers,
    },
    body: JSON.stringify(withValidOperationName(parameters)),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server responded with status ${response.status}: ${text.slice(0, 500)}` }] };
  }
}

/**
 * The parameters, without an operation name that the document does not have.
 *
 * GraphiQL reads the name from the editor a moment after the user switches tabs. A query that runs within that moment
 * would have the document of the new tab and the name of the old one.
 */
function withValidOperationName(parameters) {
  const { operationName, ...others } = parameters;
  return !operationName || hasOperation(parameters.query, operationName) ? parameters : others;
}

function hasOperation(query, name) {
  try {
    return parse(query, { noLocation: true }).definitions.some(
      (definition) => definition.kind === "OperationDefinition" && definition.name?.value === name,
    );
  } catch {
    return true; // not a document: the server reports the error
  }
}

/** The example queries that fit the available data; if they cannot be loaded, none and the reason. */
export async function fetchExamples() {
  try {
    const response = await fetch(`${ENDPOINT}/examples`, { headers: { accept: "application/json" } });
    if (!response.ok) {
      return { examples: [], problem: `The server responded with status ${response.status}.` };
    }
    return { examples: await response.json(), problem: null };
  } catch (error) {
    return { examples: [], problem: String(error) };
  }
}
