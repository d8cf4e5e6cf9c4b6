import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange, type CacheExchangeOpts } from "@urql/exchange-graphcache";
import { persistedExchange } from "@urql/exchange-persisted";
import { buildSchema, getOperationAST, introspectionFromSchema } from "graphql";
import * as screens from "./generated/codegen/graphql.js";
import { keys, resolvers } from "./generated/graphcache.js";
import { BAD_REQUESTS, changedPerson, codeOf, noting, screenVariables, sending, THEN, URL } from "./server.js";

const { AnswerAgainDocument, AnswerDocument, ContactListDocument, ContactNowDocument, ContactThenDocument, TwoPeriodsDocument } =
  screens;

// Without the schema, graphcache guesses which of several types a fragment is on.
const SCHEMA = introspectionFromSchema(buildSchema(readFileSync("src/generated/schema.graphql", "utf8")));

function client(logged: string[] = [], fetch = globalThis.fetch): Client {
  const logger = (level: string, message: string) => void (level === "debug" || logged.push(message));
  const cache = { keys, resolvers, schema: SCHEMA, logger } as CacheExchangeOpts;
  return new Client({ url: URL, fetch, preferGetMethod: false, exchanges: [cacheExchange(cache), fetchExchange] });
}

test("pages are added in both directions", async () => {
  const urql = client();
  const one = await urql.query(ContactListDocument, { first: 5 });
  const after = one.data!.contacts.pageInfo.endCursor;
  const two = await urql.query(ContactListDocument, { first: 5, after });
  const whole = await client().query(ContactListDocument, { first: 10 });
  assert.deepEqual(idsOf(two.data), idsOf(whole.data));
  assert.equal(idsOf(two.data).length, 10);

  const tail = client();
  const last = await tail.query(ContactListDocument, { last: 5 });
  const before = last.data!.contacts.pageInfo.startCursor;
  const both = await tail.query(ContactListDocument, { last: 5, before });
  const end = await client().query(ContactListDocument, { last: 10 });
  assert.deepEqual(idsOf(both.data), idsOf(end.data));
});

test("a KPI is fetched once, and refetched on request", async () => {
  let requests = 0;
  const urql = client([], (...request) => ((requests += 1), fetch(...request)));
  const variables = { key: "WIN_RATE", period: { named: "2026-Q1" }, previous: { named: "2025-Q4" } } as const;
  const one = await urql.query(TwoPeriodsDocument, variables);
  const again = await urql.query(TwoPeriodsDocument, variables);
  assert.equal(requests, 1);
  assert.deepEqual(again.data, one.data);
  await urql.query(TwoPeriodsDocument, variables, { requestPolicy: "network-only" });
  assert.equal(requests, 2);
  assert.notEqual(one.data?.now?.value, one.data?.before?.value);
});

test("no screen makes the cache log a warning", async () => {
  const logged: string[] = [];
  const urql = client(logged);
  const variables = await screenVariables();
  const read: string[] = [];
  for (const document of Object.values(screens)) {
    if (typeof document !== "object" || !("definitions" in document)) continue;
    const name = getOperationAST(document)?.name?.value;
    if (name === undefined || !variables.has(name)) continue;
    const result = await urql.query(document as typeof ContactListDocument, variables.get(name) as object);
    assert.equal(result.error, undefined, `${name}: ${result.error}`);
    read.push(name);
  }
  assert.deepEqual(read.sort(), [...variables.keys()].sort());
  assert.equal(read.length, 15);
  assert.deepEqual(logged, []);
});

test("a view of now keeps its values when the same record is read as of an instant", async () => {
  const urql = client();
  const id = await changedPerson();
  const shown: unknown[] = [];
  const view = urql.query(ContactNowDocument, { id }).subscribe(({ data }) => void shown.push(data?.contact));
  const now = (await urql.query(ContactNowDocument, { id })).data?.contact;
  const then = (await urql.query(ContactThenDocument, { id, asOf: THEN })).data?.contact;
  assert.equal(then?.recordId, id);
  assert.notEqual(then?.id, id);
  assert.notEqual(then?.stage?.key, now?.stage?.key);
  assert.deepEqual(shown, [now]);
  assert.deepEqual(urql.readQuery(ContactNowDocument, { id })?.data?.contact, now);
  view.unsubscribe();
});

test("the answer to a KPI request is refetched by its id", async () => {
  const requests: Parameters<typeof noting>[0] = [];
  const urql = client([], noting(requests));
  const variables = { period: { named: "2026-Q1" } };
  const answer = (await urql.query(AnswerDocument, variables)).data!.kpi!;
  const again = await urql.query(AnswerAgainDocument, { id: answer.id }, { requestPolicy: "network-only" });
  assert.deepEqual(again.data?.node, answer);
  assert.equal(requests.length, 2);
});

for (const method of ["POST", "GET"] as const) {
  test(`a document is sent once, then its hash: ${method}`, async () => {
    const requests: Parameters<typeof noting>[0] = [];
    const preferGetForPersistedQueries = method === "GET";
    const persisted = () =>
      new Client({
        url: URL,
        fetch: noting(requests),
        preferGetMethod: false,
        exchanges: [persistedExchange({ preferGetForPersistedQueries }), fetchExchange],
      });
    // The server does not know this document yet.
    const query = gql(`query Urql_${method}_${Date.now()} { accord { version } }`);
    for (let i = 0; i < 2; i += 1) {
      const { data } = await persisted().query<{ accord: { version: number } }>(query, {});
      assert.equal(data?.accord.version, 1);
    }
    assert.deepEqual(requests.map(({ hasDocument }) => hasDocument), [false, true, false]);
    assert.equal(requests[2]?.method, method);
  });
}

for (const request of BAD_REQUESTS) {
  test(`an error is shown with its code: ${request.kind}`, async () => {
    const { error } = await client([], sending(request)).query(request.query, request.variables);
    assert.equal(codeOf(error?.graphQLErrors[0]), request.code);
  });
}

function idsOf(data: screens.ContactListQuery | undefined): string[] {
  return data?.contacts.edges.map((edge) => edge.node.id) ?? [];
}
