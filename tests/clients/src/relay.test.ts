import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getRequest,
  getSelector,
  Network,
  RecordSource,
  Store,
} from "relay-runtime";
import type { FetchFunction, GraphQLTaggedNode } from "relay-runtime";
import kpiQuery, { type screensKpiQuery } from "./relay/__generated__/screensKpiQuery.graphql.js";
import kpiRefetchQuery from "./relay/__generated__/screensKpiRefetchQuery.graphql.js";
import pageQuery from "./relay/__generated__/screensListPageQuery.graphql.js";
import listQuery from "./relay/__generated__/screensListQuery.graphql.js";
import listFragment from "./relay/__generated__/screens_list.graphql.js";
import nowQuery, { type screensNowQuery } from "./relay/__generated__/screensNowQuery.graphql.js";
import thenQuery, { type screensThenQuery } from "./relay/__generated__/screensThenQuery.graphql.js";
import { BAD_REQUESTS, changedPerson, codeOf, THEN, URL } from "./server.js";

test("pages are added to a connection in order", async () => {
  const relay = environment();
  const variables = { first: 5, after: null };
  await fetchQuery(relay, listQuery, variables).toPromise();
  const one = connection(relay, variables);
  assert.equal(one.edges.length, 5);
  await fetchQuery(relay, pageQuery, { first: 5, after: one.pageInfo.endCursor }).toPromise();
  const whole = environment();
  await fetchQuery(whole, listQuery, { first: 10, after: null }).toPromise();
  assert.deepEqual(ids(connection(relay, variables)), ids(connection(whole, variables)));
  assert.equal(connection(relay, variables).edges.length, 10);
});

test("pages are added to a connection from its end", async () => {
  const relay = environment();
  const last = { last: 5, before: null };
  await fetchQuery(relay, pageQuery, last).toPromise();
  const one = connection(relay, last);
  await fetchQuery(relay, pageQuery, { last: 5, before: one.pageInfo.startCursor }).toPromise();
  const whole = environment();
  await fetchQuery(whole, pageQuery, { last: 10, before: null }).toPromise();
  assert.equal(connection(relay, last).edges.length, 10);
  assert.deepEqual(ids(connection(relay, last)), ids(connection(whole, last)));
});

test("a view of now keeps its values when the same record is read as of an instant", async () => {
  const relay = environment();
  const id = await changedPerson();
  const now = await fetchQuery<screensNowQuery>(relay, nowQuery, { id }).toPromise();
  const view = relay.lookup(operation(nowQuery, { id }).fragment);
  let changes = 0;
  const subscription = relay.subscribe(view, () => (changes += 1));
  const then = await fetchQuery<screensThenQuery>(relay, thenQuery, { id, asOf: THEN }).toPromise();
  assert.equal(then?.contact?.recordId, id);
  assert.notEqual(then?.contact?.id, id);
  assert.notEqual(then?.contact?.stage?.key, now?.contact?.stage?.key);
  assert.deepEqual(relay.lookup(operation(nowQuery, { id }).fragment).data, view.data);
  assert.equal(changes, 0);
  subscription.dispose();
});

test("the answer to a KPI request is refetched by its id", async () => {
  const relay = environment();
  const variables = { period: { named: "2026-Q1" } };
  const { kpi } = (await fetchQuery<screensKpiQuery>(relay, kpiQuery, variables).toPromise())!;
  relay.commitUpdate((store) => void store.get(kpi!.id)!.setValue("0", "value"));
  const shown = () => (relay.lookup(operation(kpiQuery, variables).fragment).data as unknown as { kpi: typeof kpi }).kpi;
  assert.equal(shown()?.value, "0");
  await fetchQuery(relay, kpiRefetchQuery, { id: kpi!.id }, { networkCacheConfig: { force: true } }).toPromise();
  assert.equal(shown()?.value, kpi!.value);
});

// An error at a field that cannot be null takes the whole response; one at a nullable field leaves the others.
const AT_A_FIELD: [string, GraphQLTaggedNode, Record<string, unknown>][] = [
  ["an id of another type", nowQuery, { id: "no_id" }],
  ["a malformed period", kpiQuery, { period: { named: "2026-Q9" } }],
];

for (const request of BAD_REQUESTS.filter(({ kind }) => !AT_A_FIELD.some(([other]) => other === kind))) {
  test(`an error is shown with its code: ${request.kind}`, async () => {
    // The Relay compiler rejects some of these documents, so the network sends them in place of a compiled one.
    const relay = environment(() => post(request.text, request.variables));
    const failed = await fetchQuery(relay, kpiQuery, {}).toPromise().catch((error: unknown) => error);
    assert.equal(codeOf((failed as Failure).source?.errors[0]), request.code);
  });
}

for (const [kind, query, variables] of AT_A_FIELD) {
  test(`an error at a field is shown with its code: ${kind}`, async () => {
    const relay = environment();
    await assert.rejects(async () => fetchQuery(relay, query, variables).toPromise());
    const { fieldErrors } = relay.lookup(operation(query, variables).fragment) as unknown as Errors;
    assert.equal(codeOf(fieldErrors?.[0]?.error), BAD_REQUESTS.find((request) => request.kind === kind)?.code);
  });
}

/** What Relay's types leave out of a snapshot. */
interface Errors {
  fieldErrors?: { error: { extensions?: Record<string, unknown> } }[];
}

interface Failure {
  source?: { errors: { extensions?: Record<string, unknown> }[] };
}

interface Connection {
  edges: { node: { id: string } }[];
  pageInfo: { endCursor: string; startCursor: string };
}

async function post(query: string | null | undefined, variables: object) {
  const headers = { "content-type": "application/json" };
  return (await fetch(URL, { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json();
}

function environment(send: FetchFunction = (request, variables) => post(request.text, variables)): Environment {
  return new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
}

function operation(query: GraphQLTaggedNode, variables: Record<string, unknown>) {
  return createOperationDescriptor(getRequest(query), variables);
}

/** The connection as usePaginationFragment reads it: through the fragment, from the store. */
function connection(relay: Environment, variables: Record<string, unknown>): Connection {
  const query = "last" in variables ? pageQuery : listQuery;
  const selector = getSelector(listFragment, relay.lookup(operation(query, variables).fragment).data as never);
  assert.ok(selector !== null && selector !== undefined && selector.kind === "SingularReaderSelector");
  return (relay.lookup(selector).data as unknown as { contacts: Connection }).contacts;
}

function ids(list: Connection): string[] {
  return list.edges.map((edge) => edge.node.id);
}
