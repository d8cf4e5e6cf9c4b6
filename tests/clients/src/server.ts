import { parse, type DocumentNode } from "graphql";

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
}

export const BAD_REQUESTS: BadRequest[] = [
  bad("an id of another type", "BAD_INPUT", "query Bad($id: ID!) { contact(id: $id) { id } }", { id: "no_id" }),
  bad("a page that is too long", "TOO_LARGE", "query Bad { contacts(first: 501) { totalCount } }"),
  bad("a malformed period", "BAD_PERIOD", 'query Bad { kpi(key: mqls, period: {named: "2026-Q9"}) { value } }'),
];

function bad(kind: string, code: string, text: string, variables: Record<string, unknown> = {}): BadRequest {
  return { kind, code, query: parse(text), variables };
}

export function codeOf(error: { extensions?: Record<string, unknown> | null } | undefined): unknown {
  return error?.extensions?.["code"];
}

/** Ids of the sample with which the screens of one record are read. */
export async function valuesOf(): Promise<Record<"contact" | "company" | "campaign" | "owner", string>> {
  const query = `{
    contacts(first: 1) { nodes { id } } companies(first: 1) { nodes { id } }
    campaigns(first: 1) { nodes { id } } members(first: 1) { nodes { id } }
  }`;
  const headers = { "content-type": "application/json" };
  const response = await fetch(URL, { method: "POST", headers, body: JSON.stringify({ query }) });
  const { data } = (await response.json()) as { data: Record<string, { nodes: { id: string }[] }> };
  const id = (list: string) => {
    const found = data[list]?.nodes[0]?.id;
    if (found === undefined) throw new Error(`no ${list}`);
    return found;
  };
  return { contact: id("contacts"), company: id("companies"), campaign: id("campaigns"), owner: id("members") };
}
