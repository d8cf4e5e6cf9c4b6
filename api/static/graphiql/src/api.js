import { parse } from "graphql";

const ENDPOINT = window.location.pathname.replace(/\/+$/, "");

/** Send one GraphQL request to the Accord that served this page; an answer that is not GraphQL becomes an error. */
export async function ask(parameters, options) {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...options?.headers,
    },
    body: JSON.stringify(withItsOwnName(parameters)),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server answered ${response.status}: ${text.slice(0, 500)}` }] };
  }
}

/**
 * The parameters, naming an operation only if their document has it.
 *
 * GraphiQL reads the name from the editor a moment after a tab came to the front; who runs it within that moment would
 * ask the new tab's document by the old tab's name.
 */
function withItsOwnName(parameters) {
  const { operationName, ...others } = parameters;
  return !operationName || hasOperation(parameters.query, operationName) ? parameters : others;
}

function hasOperation(query, name) {
  try {
    return parse(query, { noLocation: true }).definitions.some(
      (definition) => definition.kind === "OperationDefinition" && definition.name?.value === name,
    );
  } catch {
    return true; // no document: the server says what is wrong with it
  }
}

/** The example questions that fit the data at hand, or none and the reason why. */
export async function fetchExamples() {
  try {
    const response = await fetch(`${ENDPOINT}/examples`, { headers: { accept: "application/json" } });
    if (!response.ok) {
      return { examples: [], problem: `The server answered ${response.status}.` };
    }
    return { examples: await response.json(), problem: null };
  } catch (error) {
    return { examples: [], problem: String(error) };
  }
}
