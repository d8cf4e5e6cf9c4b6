import { parse, print, type DocumentNode } from "graphql";

const url = process.env.ACCORD_URL;
if (url === undefined) throw new Error("ACCORD_URL is not set");
export const URL: string = url;

// An instant within the sample at which some people had another stage.
export const THEN = "2026-01-01T00:00:00Z";

export interface BadRequest {
  kind: string;
  code: string;
  query: DocumentNode;
  variables: Record<string, unknown>;
  /** Sent in place of the query: a client does not send what it cannot parse. */
  text: string;
}

export const BAD_REQUESTS: BadRequest[] = [
  bad("no GraphQL", "GRAPHQL_PARSE_FAILED", "query Bad { accord { version } }", {}, "query Bad {"),
  bad("an unknown field", "GRAPHQL_VALIDATION_FAILED", "query Bad { accord { no_field } }"),
  bad("a variable of another type", "BAD_INPUT", "query Bad($n: Int) { contacts(first: $n) { totalCount } }", { n: "x" }),
  bad("an id of another type", "BAD_INPUT", "query Bad($id: ID!) { contact(id: $id) { id } }", { id: "no_id" }),
  bad("a page that is too long", "TOO_LARGE", "query Bad { contacts(first: 501) { totalCount } }"),
  bad("an unknown stage", "UNKNOWN_VALUE", 'query Bad { contacts(where: {stage: {key: {eq: "mqll"}}}) { totalCount } }'),
  bad("an order of several currencies", "MIXED_CURRENCIES", "query Bad { deals(orderBy: [{amount: DESC}]) { nodes { id } } }"),
  bad("a malformed period", "BAD_PERIOD", 'query Bad { kpi(key: MQLS, period: {named: "2026-Q9"}) { value } }'),
];

function bad(kind: string, code: string, query: string, variables: Record<string, unknown> = {}, text?: string): BadRequest {
  const document = parse(query);
  return { kind, code, query: document, variables, text: text ?? print(document) };
}

/** `fetch`, with the text of a bad request in the place of the document. */
export function sending({ text, variables }: BadRequest): typeof globalThis.fetch {
  return (address, init) => fetch(address, { ...init, body: JSON.stringify({ query: text, variables }) });
}

export function codeOf(error: { extensions?: Record<string, unknown> | null } | undefined): unknown {
  return error?.extensions?.["code"];
}

/** `fetch`, which notes of every request whether it had a document. */
export function noting(requests: { hasDocument: boolean; method: string }[]): typeof globalThis.fetch {
  return (address, init) => {
    const query = new globalThis.URL(String(address)).searchParams.get("query");
    const body = typeof init?.body === "string" ? (JSON.parse(init.body) as { query?: string }) : {};
    requests.push({ hasDocument: Boolean(query ?? body.query), method: init?.method ?? "GET" });
    return fetch(address, init);
  };
}

export async function read<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(URL, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return ((await response.json()) as { data: T }).data;
}

interface Person {
  recordId: string;
  stage: { key: string } | null;
}

/** The id of a person whose stage was another one then. */
export async function changedPerson(): Promise<string> {
  const list = `(first: 500, orderBy: [{ createdAt: ASC }]) { nodes { recordId stage { key } } }`;
  const { now, then } = await read<Record<"now" | "then", { nodes: Person[] }>>(
    `{ now: contacts${list} then: contacts${list.replace("(", `(asOf: "${THEN}", `)} }`,
  );
  const before = new Map(then.nodes.map(({ recordId, stage }) => [recordId, stage?.key]));
  const changed = now.nodes.find(({ recordId, stage }) => {
    const key = before.get(recordId);
    return key !== undefined && stage !== null && stage.key !== key;
  });
  if (changed === undefined) throw new Error("nobody has changed");
  return changed.recordId;
}

/** The variables of the screens, by the name of their operation, as GraphiQL gets them. */
export async function screenVariables(): Promise<Map<string, Record<string, unknown>>> {
  const response = await fetch(`${URL}/examples`);
  const examples = (await response.json()) as { group: string; query: string; variables: Record<string, unknown> }[];
  return new Map(
    examples
      .filter(({ group }) => group === "Screens of a front end")
      .map(({ query, variables }) => [/query (\w+)/.exec(query)?.[1] ?? "", variables]),
  );
}
