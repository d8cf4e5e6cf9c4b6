import { type CombinedError, Client, cacheExchange, fetchExchange } from "urql";
import { isGuarded } from "./address";
import { keepWatermark, withWatermark } from "./watermark";

/** The address of the sign-in page, which leads back to the present address of this page. */
export function signInAddress(): string {
  const { pathname, search } = window.location;
  return `/sign-in?next=${encodeURIComponent(pathname + search)}`;
}

/** The same for somebody who is signed in, and has to prove again who they are. */
export function signInAgainAddress(): string {
  return `${signInAddress()}&again=1`;
}

/**
 * Send a request with the session's cookie. Whoever is not signed in goes to the sign-in page and comes back, unless a
 * text that is not saved would be lost.
 */
async function send(address: RequestInfo | URL, options?: RequestInit): Promise<Response> {
  const headers = withWatermark(options?.headers);
  const response = await fetch(address, { ...options, headers, credentials: "same-origin" });
  keepWatermark(response);
  if (response.status === 401 && !isGuarded()) {
    window.location.assign(signInAddress());
  }
  return response;
}

/**
 * The client of the public API.
 *
 * Requests are POSTs of JSON to the server of this page: a session's cookie counts for nothing else. A mutation discards
 * the cached results that have an object of a type that it returned.
 */
export const client = new Client({
  url: "/graphql",
  preferGetMethod: false,
  fetch: send,
  fetchOptions: { headers: { accept: "application/graphql-response+json, application/json;q=0.9" } },
  exchanges: [cacheExchange, fetchExchange],
});

/** The sentences of an error, in the server's words. */
export function sentences(error: CombinedError): string[] {
  if (error.networkError && error.graphQLErrors.length === 0) {
    return [`The server cannot be reached (${error.networkError.message}). Check the connection and try again.`];
  }
  return error.graphQLErrors.map((each) => each.message);
}

/** The codes of an error, such as FORBIDDEN. */
export function codes(error: CombinedError | undefined): string[] {
  return (error?.graphQLErrors ?? []).map((each) => String(each.extensions["code"] ?? ""));
}

/** The context of results that change when a version does, although they have no version inside: they are read again. */
export const CHANGES_WITH_VERSIONS = { additionalTypenames: ["Accord"] };
