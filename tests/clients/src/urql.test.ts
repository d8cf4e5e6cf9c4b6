import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { getOperationAST } from "graphql";
import * as screens from "./generated/codegen/graphql.js";
import { keys, resolvers } from "./generated/graphcache.js";
import { BAD_REQUESTS, codeOf, URL, valuesOf } from "./server.js";

const { ContactListDocument, TwoPeriodsDocument } = screens;

function client(logged: string[] = [], fetch = globalThis.fetch): Client {
  const logger = (level: string, message: string) => void (level === "debug" || logged.push(message));
  return new Client({ url: URL, fetch, preferGetMethod: false, exchanges: [cacheExchange({ keys, resolvers, logger }), fetchExchange] });
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
  const variables = { key: "win_rate", period: { named: "2026-Q1" }, previous: { named: "2025-Q4" } } as const;
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
  const { contact, company, campaign, owner } = await valuesOf();
  const period = { named: "2026-Q1" } as const;
  const previous = { named: "2025-Q4" } as const;
  const all = { stage: "mql", owner, since: "2026-06-01T00:00:00Z", text: "an", period, previous, key: "win_rate", campaign };
  let read = 0;
  for (const document of Object.values(screens)) {
    if (typeof document !== "object" || !("definitions" in document)) continue;
    const name = getOperationAST(document)?.name?.value;
    if (name === undefined || name === "ContactThen") continue;
    const id = name === "CompanyPage" ? company : name === "CampaignPage" ? campaign : contact;
    const result = await urql.query(document as typeof ContactListDocument, { ...all, id } as object);
    assert.equal(result.error, undefined, `${name}: ${result.error}`);
    read += 1;
  }
  assert.ok(read >= 15);
  assert.deepEqual(logged, []);
});

for (const { kind, code, query, variables } of BAD_REQUESTS) {
  test(`an error is shown with its code: ${kind}`, async () => {
    const { error } = await client().query(query, variables);
    assert.equal(codeOf(error?.graphQLErrors[0]), code);
  });
}

function idsOf(data: screens.ContactListQuery | undefined): string[] {
  return data?.contacts.edges.map((edge) => edge.node.id) ?? [];
}
