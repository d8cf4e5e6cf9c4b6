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
    body: JSON.stringify(parameters),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server answered ${response.status}: ${text.slice(0, 500)}` }] };
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
