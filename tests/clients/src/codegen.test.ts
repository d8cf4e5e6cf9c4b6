import assert from "node:assert/strict";
import { test } from "node:test";
import { print } from "graphql";
import type { ContactNowQuery } from "./generated/codegen/graphql.js";
import { ContactNowDocument } from "./generated/codegen/graphql.js";
import { changedPerson, URL } from "./server.js";

test("scalars are strings for the compiler and in the response", async () => {
  const variables = { id: await changedPerson() };
  const response = await fetch(URL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: print(ContactNowDocument), variables }),
  });
  const { data } = (await response.json()) as { data: ContactNowQuery };
  const since: string | undefined = data.contact?.stage?.since;
  assert.equal(data.contact?.id, variables.id);
  assert.match(since ?? "", /Z$/);
});
