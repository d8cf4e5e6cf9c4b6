import assert from "node:assert/strict";
import { test } from "node:test";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { filter, firstValueFrom } from "rxjs";
import { ContactListDocument, TwoPeriodsDocument } from "./generated/codegen/graphql.js";
import { typePolicies } from "./generated/apollo-client.js";
import { BAD_REQUESTS, codeOf, URL } from "./server.js";

const client = (fetch = globalThis.fetch) =>
  new ApolloClient({ link: new HttpLink({ uri: URL, fetch }), cache: new InMemoryCache({ typePolicies }) });

test("pages are added in both directions", async () => {
  const apollo = client();
  const list = apollo.watchQuery({ query: ContactListDocument, variables: { first: 5 } });
  const subscription = list.subscribe(() => {});
  const first = await firstValueFrom(list.pipe(filter((result) => !result.loading)));
  assert.equal(first.data?.contacts?.edges?.length, 5);
  await list.fetchMore({ variables: { after: first.data?.contacts?.pageInfo?.endCursor } });
  const merged = apollo.readQuery({ query: ContactListDocument, variables: { first: 5 } })?.contacts.edges ?? [];
  const whole = await client().query({ query: ContactListDocument, variables: { first: 10 } });
  const ids = whole.data!.contacts!.edges!.map((edge) => edge.node.id);
  assert.deepEqual(merged.map((edge) => edge?.node?.id), ids);
  subscription.unsubscribe();

  const back = client();
  const tail = back.watchQuery({ query: ContactListDocument, variables: { last: 5 } });
  const other = tail.subscribe(() => {});
  const last = await firstValueFrom(tail.pipe(filter((result) => !result.loading)));
  await tail.fetchMore({ variables: { last: 5, before: last.data?.contacts?.pageInfo?.startCursor } });
  const both = back.readQuery({ query: ContactListDocument, variables: { last: 5 } })?.contacts.edges?.map((edge) => edge?.node?.id);
  const end = await client().query({ query: ContactListDocument, variables: { last: 10 } });
  assert.deepEqual(both, end.data!.contacts!.edges!.map((edge) => edge.node.id));
  other.unsubscribe();
});

test("lists of other arguments are kept apart", async () => {
  const apollo = client();
  const all = await apollo.query({ query: ContactListDocument, variables: { first: 3 } });
  const where = { firstName: { eq: all.data!.contacts.edges[0]!.node.firstName } };
  await apollo.query({ query: ContactListDocument, variables: { first: 3, where } });
  const again = apollo.readQuery({ query: ContactListDocument, variables: { first: 3 } });
  assert.deepEqual(again?.contacts, all.data?.contacts);
});

test("a KPI is fetched once, refetched on request, and kept apart by its period", async () => {
  let requests = 0;
  const apollo = client((...request) => ((requests += 1), fetch(...request)));
  const variables = {
    key: "win_rate",
    period: { named: "2026-Q1" },
    previous: { named: "2025-Q4" },
  } as const;
  const one = await apollo.query({ query: TwoPeriodsDocument, variables });
  await apollo.query({ query: TwoPeriodsDocument, variables });
  assert.equal(requests, 1);
  const two = await apollo.query({ query: TwoPeriodsDocument, variables, fetchPolicy: "network-only" });
  assert.equal(requests, 2);
  assert.deepEqual(two.data, one.data);
  assert.notEqual(one.data?.now?.value, one.data?.before?.value);
});

for (const { kind, code, query, variables } of BAD_REQUESTS) {
  test(`an error is shown with its code: ${kind}`, async () => {
    const { error } = await client().query({ query, variables, errorPolicy: "all" });
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(codeOf(error.errors[0]), code);
  });
}
