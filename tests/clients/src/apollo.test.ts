import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { filter, firstValueFrom } from "rxjs";
import {
  AnswerAgainDocument,
  AnswerDocument,
  ContactListDocument,
  ContactNowDocument,
  ContactThenDocument,
  TwoPeriodsDocument,
} from "./generated/codegen/graphql.js";
import { possibleTypes, typePolicies } from "./generated/apollo-client.js";
import { BAD_REQUESTS, changedPerson, codeOf, noting, sending, THEN, URL } from "./server.js";

const client = (fetch = globalThis.fetch) =>
  new ApolloClient({ link: new HttpLink({ uri: URL, fetch }), cache: new InMemoryCache({ possibleTypes, typePolicies }) });

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
    key: "WIN_RATE",
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

test("a view of now keeps its values when the same record is read as of an instant", async () => {
  const apollo = client();
  const id = await changedPerson();
  const view = apollo.watchQuery({ query: ContactNowDocument, variables: { id } });
  const shown: unknown[] = [];
  const subscription = view.subscribe(({ data, loading }) => void (loading || shown.push(data?.contact)));
  const now = (await firstValueFrom(view.pipe(filter((result) => !result.loading)))).data?.contact;
  const then = (await apollo.query({ query: ContactThenDocument, variables: { id, asOf: THEN } })).data?.contact;
  assert.equal(then?.recordId, id);
  assert.notEqual(then?.id, id);
  assert.notEqual(then?.stage?.key, now?.stage?.key);
  assert.deepEqual(shown, [now]);
  assert.deepEqual(apollo.readQuery({ query: ContactNowDocument, variables: { id } })?.contact, now);
  subscription.unsubscribe();
});

test("the answer to a KPI request is refetched by its id", async () => {
  const apollo = client();
  const variables = { period: { named: "2026-Q1" } };
  const answer = (await apollo.query({ query: AnswerDocument, variables })).data!.kpi!;
  const cached = apollo.cache.identify({ __typename: "KpiAnswer", id: answer.id });
  apollo.cache.modify({ id: cached, fields: { value: () => "0" } });
  assert.equal(apollo.readQuery({ query: AnswerDocument, variables })?.kpi?.value, "0");
  const again = { query: AnswerAgainDocument, variables: { id: answer.id } };
  await apollo.query({ ...again, fetchPolicy: "network-only" });
  // `... on Node` matches by `possibleTypes`.
  assert.deepEqual(apollo.readQuery(again)?.node, answer);
  assert.deepEqual(apollo.readQuery({ query: AnswerDocument, variables })?.kpi, answer);
});

for (const method of ["POST", "GET"] as const) {
  test(`a document is sent once, then its hash: ${method}`, async () => {
    const requests: Parameters<typeof noting>[0] = [];
    const useGETForHashedQueries = method === "GET";
    const sha256 = (text: string) => createHash("sha256").update(`${text}`).digest("hex");
    const persisted = () =>
      new ApolloClient({
        link: new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(
          new HttpLink({ uri: URL, fetch: noting(requests) }),
        ),
        cache: new InMemoryCache(),
      });
    // The server does not know this document yet.
    const query = gql(`query Apollo_${method}_${Date.now()} { accord { version } }`);
    for (let i = 0; i < 2; i += 1) {
      const { data } = await persisted().query<{ accord: { version: number } }>({ query });
      assert.equal(data?.accord.version, 1);
    }
    assert.deepEqual(requests.map(({ hasDocument }) => hasDocument), [false, true, false]);
    assert.equal(requests[2]?.method, method);
  });
}

for (const request of BAD_REQUESTS) {
  test(`an error is shown with its code: ${request.kind}`, async () => {
    const { query, variables } = request;
    const { error } = await client(sending(request)).query({ query, variables, errorPolicy: "all" });
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(codeOf(error.errors[0]), request.code);
    assert.ok(error.message.length > 10);
  });
}
