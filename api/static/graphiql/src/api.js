import { parse } from "graphql";

import { keepWatermark, watermarkHeader } from "./watermark.js";

const ENDPOINT = window.location.pathname.replace(/\/+$/, "");

/** Send a GraphQL request to the server of this page. A response that is not JSON becomes a GraphQL error. */
export async function execute(parameters, options) {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...watermarkHeader(),
      ...options?.headers,
    },
    body: JSON.stringify(withValidOperationName(parameters)),
  });
  keepWatermark(response);
  if (response.status === 401 && !hasOwnCredential(options?.headers)) {
    signIn();
  }
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server responded with status ${response.status}: ${text.slice(0, 500)}` }] };
  }
}

/** Go to the sign-in page, which leads back here. The tabs stay: GraphiQL keeps them in the browser. */
function signIn() {
  window.location.assign(signInAddress());
}

/** The address of the sign-in page, which also says who is signed in and signs out. */
export function signInAddress() {
  return `/sign-in?next=${encodeURIComponent(window.location.pathname)}`;
}

/** Whether the user wrote a credential into the headers pane: then an error belongs to it, and not to the session. */
function hasOwnCredential(headers) {
  return Object.keys(headers ?? {}).some((name) => name.toLowerCase() === "authorization");
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

/** The name of whoever the page is served to; null if it cannot be read. */
export async function fetchViewerName() {
  try {
    const { data } = await execute({ query: "{ viewer { name } }" });
    return data?.viewer.name ?? null;
  } catch {
    return null; // the first query of the user shows the problem
  }
}

/** The example queries that fit the available data; if they cannot be loaded, none and the reason. */
export async function fetchExamples() {
  try {
    const response = await fetch(`${ENDPOINT}/examples`, {
      // A GET with a session needs a header that no other site can send.
      headers: { accept: "application/json", "graphql-preflight": "1" },
    });
    if (response.status === 401) {
      signIn();
    }
    if (!response.ok) {
      return { examples: [], problem: `The server responded with status ${response.status}.` };
    }
    return { examples: await response.json(), problem: null };
  } catch (error) {
    return { examples: [], problem: String(error) };
  }
}
