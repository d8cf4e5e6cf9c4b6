// A front end without a user interface: it signs in with an API key, reads contacts page by page, writes with retries,
// and shows what is wrong, by field or by code. `graphql-codegen` makes the types, urql sends the requests.

import { cacheExchange, Client, CombinedError, fetchExchange, type AnyVariables, type TypedDocumentNode } from "@urql/core";
import { retryExchange } from "@urql/exchange-retry";
import {
  EveryContactDocument,
  LogCallDocument,
  SaveContactDocument,
  ViewerDocument,
  type ContactRowFragment,
  type LogCallMutation,
  type LogTouchpointInput,
  type SaveContactMutation,
  type UpdateContactInput,
  type ViewerQuery,
} from "./generated/codegen/graphql.js";

/** What a form shows after it was sent: the payload, or messages by field. */
export type Saved<Payload> = { isSaved: true; payload: Payload } | { isSaved: false; messages: Map<string, string> };

/** A payload is null only in a response that has an error. */
type Written<Payload> = NonNullable<Payload>;

/** An error of the whole request, with its stable code: show `message`, decide by `code`. */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string | undefined,
  ) {
    super(message);
  }
}

const ATTEMPTS = 4;

export class FrontEnd {
  readonly #client: Client;

  constructor(url: string, key: string, fetch: typeof globalThis.fetch = globalThis.fetch) {
    // A mutation is sent again with the same variables, so with the same idempotency key: it is carried out once.
    const retry = retryExchange({
      initialDelayMs: 50,
      maxNumberAttempts: ATTEMPTS,
      retryIf: (error) => (error.networkError ? error.response === undefined : codeOf(error) === "BUSY"),
    });
    this.#client = new Client({
      url,
      fetch,
      preferGetMethod: false,
      fetchOptions: { headers: { authorization: `Bearer ${key}` } },
      exchanges: [cacheExchange, retry, fetchExchange],
    });
  }

  /** Who the key belongs to, and what it may do. */
  async viewer(): Promise<ViewerQuery["viewer"]> {
    return (await this.#read(ViewerDocument, {})).viewer;
  }

  /** All contacts, page by page. */
  async *contactPages(first: number): AsyncGenerator<ContactRowFragment[]> {
    let after: string | null | undefined;
    do {
      const { contacts } = await this.#read(EveryContactDocument, { first, after });
      yield contacts.nodes;
      after = contacts.pageInfo.hasNextPage ? contacts.pageInfo.endCursor : undefined;
    } while (after);
  }

  async saveContact(input: UpdateContactInput): Promise<Saved<Written<SaveContactMutation["updateContact"]>>> {
    return this.#write(SaveContactDocument, input, ({ updateContact }) => updateContact);
  }

  async logCall(input: LogTouchpointInput): Promise<Saved<Written<LogCallMutation["logTouchpoint"]>>> {
    return this.#write(LogCallDocument, input, ({ logTouchpoint }) => logTouchpoint);
  }

  async #read<Data, Variables extends AnyVariables>(query: TypedDocumentNode<Data, Variables>, given: Variables): Promise<Data> {
    return dataOf(await this.#client.query(query, given).toPromise());
  }

  async #write<Data, Input extends object, Payload extends { userErrors: { path: string[]; message: string }[] }>(
    mutation: TypedDocumentNode<Data, { input: Input }>,
    input: Input,
    payloadOf: (data: Data) => Payload | null,
  ): Promise<Saved<Payload>> {
    // A key that the caller gives is kept, such as that of a form that is sent again.
    const variables: { input: Input } = { input: { idempotencyKey: crypto.randomUUID(), ...input } };
    const payload = payloadOf(dataOf(await this.#client.mutation(mutation, variables).toPromise()));
    if (payload === null) throw new TypeError("a response without errors has no payload");
    // Paths begin with "input"; a form knows its fields by what follows.
    if (payload.userErrors.length === 0) return { isSaved: true, payload };
    return { isSaved: false, messages: new Map(payload.userErrors.map(({ path, message }) => [path.slice(1).join("."), message])) };
  }
}

function dataOf<Data>({ data, error }: { data?: Data; error?: CombinedError | undefined }): Data {
  if (error !== undefined || data === undefined) {
    const [first] = error?.graphQLErrors ?? [];
    const remedy = first?.extensions["remedy"];
    throw new RequestError(codeOf(error), first?.message ?? String(error), typeof remedy === "string" ? remedy : undefined);
  }
  return data;
}

/** The code of an error; UNREACHABLE if there was no response. */
function codeOf(error: CombinedError | undefined): string {
  return String(error?.graphQLErrors[0]?.extensions["code"] ?? "UNREACHABLE");
}
