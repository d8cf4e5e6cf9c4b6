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
import type { FetchFunction } from "relay-runtime";
import pageQuery from "./relay/__generated__/screensListPageQuery.graphql.js";
import listQuery from "./relay/__generated__/screensListQuery.graphql.js";
import listFragment from "./relay/__generated__/screens_list.graphql.js";
import { URL } from "./server.js";

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

interface Connection {
  edges: { node: { id: string } }[];
  pageInfo: { endCursor: string; startCursor: string };
}

const send: FetchFunction = async (request, variables) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ query: request.text, variables });
  return (await fetch(URL, { method: "POST", headers, body })).json();
};

function environment(): Environment {
  return new Environment({ network: Network.create(send), store: new Store(new RecordSource()) });
}

/** The connection as usePaginationFragment reads it: through the fragment, from the store. */
function connection(relay: Environment, variables: Record<string, unknown>): Connection {
  const query = "last" in variables ? pageQuery : listQuery;
  const operation = createOperationDescriptor(getRequest(query), variables);
  const selector = getSelector(listFragment, relay.lookup(operation.fragment).data as never);
  assert.ok(selector !== null && selector !== undefined && selector.kind === "SingularReaderSelector");
  return (relay.lookup(selector).data as unknown as { contacts: Connection }).contacts;
}

function ids(list: Connection): string[] {
  return list.edges.map((edge) => edge.node.id);
}
