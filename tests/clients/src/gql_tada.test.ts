import assert from "node:assert/strict";
import { test } from "node:test";
import { initGraphQLTada } from "gql.tada";
import { print } from "graphql";
import type { Scalars } from "./generated/scalars.js";
import type { introspection } from "./generated/tada-env.js";
import { URL } from "./server.js";

const graphql = initGraphQLTada<{ introspection: typeof introspection; scalars: Scalars }>();

const People = graphql(`
  query People($since: DateTime!) {
    contacts(where: { createdAt: { gte: $since } }, first: 2) {
      edges { node { id createdAt stage { key since } } }
    }
    kpi(key: WIN_RATE) { value valueFloat }
  }
`);

test("scalars are strings for the compiler and in the response", async () => {
  const variables: { since: string } = { since: "2020-01-01T00:00:00Z" };
  const response = await fetch(URL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: print(People), variables }),
  });
  const { data } = (await response.json()) as { data: import("gql.tada").ResultOf<typeof People> };
  const createdAt: string | undefined = data.contacts.edges[0]?.node.createdAt;
  const value: string | null | undefined = data.kpi?.value;
  assert.match(createdAt ?? "", /Z$/);
  assert.match(value ?? "", /^0\.\d+$/);
  const float: number | null | undefined = data.kpi?.valueFloat;
  assert.equal(float, Number(value));
});
