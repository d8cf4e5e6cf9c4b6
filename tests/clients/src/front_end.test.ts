import assert from "node:assert/strict";
import { test } from "node:test";
import { FrontEnd, type Saved } from "./front_end.js";
import type { ContactRowFragment } from "./generated/codegen/graphql.js";
import { URL } from "./server.js";

const KEY = keyOf("ACCORD_KEY");
const VIEWER_KEY = keyOf("ACCORD_VIEWER_KEY");

test("a key says whose it is and what it may do", async () => {
  const { name, level, reach, rights } = await new FrontEnd(URL, KEY).viewer();
  assert.deepEqual({ name, level, reach, rights }, { name: "Nora Field", level: "CONTRIBUTOR", reach: "ALL", rights: ["PERSONAL_DATA"] });
});

test("every contact is on one page", async () => {
  const sizes: number[] = [];
  const ids = new Set<string>();
  for await (const page of new FrontEnd(URL, KEY).contactPages(70)) {
    sizes.push(page.length);
    for (const { id } of page) ids.add(id);
  }
  assert.ok(sizes.length > 2);
  assert.ok(sizes.slice(0, -1).every((size) => size === 70));
  assert.equal(ids.size, sizes.reduce((sum, size) => sum + size));
});

test("a change is shown by the pages that were read before", async () => {
  const accord = new FrontEnd(URL, KEY);
  const { id, rowVersion } = await personOf(accord, 0);
  const { payload } = saved(await accord.saveContact({ id, expectedVersion: rowVersion, jobTitle: "Head of Trade" }));
  assert.equal(payload.contact?.rowVersion, rowVersion + 1);
  assert.equal((await personOf(accord, 0)).jobTitle, "Head of Trade");
});

test("a change whose response is lost is carried out once", async () => {
  const { id, rowVersion } = await personOf(new FrontEnd(URL, KEY), 1);
  const sent: string[] = [];
  const losing: typeof fetch = async (address, init) => {
    const response = await fetch(address, init);
    sent.push(String(init?.body));
    if (sent.length > 2) return response;
    await response.arrayBuffer();
    throw new TypeError("the connection was closed");
  };
  const { payload } = saved(await new FrontEnd(URL, KEY, losing).saveContact({ id, expectedVersion: rowVersion, jobTitle: "Buyer" }));
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent).size, 1);
  assert.equal(payload.replayed, true);
  assert.equal(payload.contact?.rowVersion, rowVersion + 1);
});

test("a request that is never answered ends", async () => {
  let attempts = 0;
  const cut: typeof fetch = () => ((attempts += 1), Promise.reject(new TypeError("the connection was closed")));
  await assert.rejects(new FrontEnd(URL, KEY, cut).viewer(), { code: "UNREACHABLE" });
  assert.equal(attempts, 4);
});

test("a call is logged for the caller, and its stage comes with it", async () => {
  const accord = new FrontEnd(URL, KEY);
  const { id } = await personOf(accord, 2);
  const { payload } = saved(await accord.logCall({ contact: { id }, kind: "CALL", direction: "OUTBOUND" }));
  assert.equal(payload.touchpoint?.member?.name, "Nora Field");
  assert.equal(payload.touchpoint?.contact?.id, id);
});

test("all that is wrong is shown at its fields, and nothing is written", async () => {
  const accord = new FrontEnd(URL, KEY);
  const { id, rowVersion, jobTitle } = await personOf(accord, 3);
  const wrong = { email: "no address", owner: { id: "member_00000000-0000-0000-0000-000000000000" }, jobTitle: "Clerk" };
  const messages = rejected(await accord.saveContact({ id, expectedVersion: rowVersion, ...wrong }));
  assert.deepEqual([...messages.keys()].sort(), ["email", "owner"]);
  assert.ok([...messages.values()].every((message) => message.endsWith(".")));
  assert.equal((await personOf(new FrontEnd(URL, KEY), 3)).jobTitle, jobTitle);
});

test("a change of what somebody else has changed is not written", async () => {
  const accord = new FrontEnd(URL, KEY);
  const { id, rowVersion } = await personOf(accord, 4);
  saved(await accord.saveContact({ id, expectedVersion: rowVersion, jobTitle: "Broker" }));
  const messages = rejected(await accord.saveContact({ id, expectedVersion: rowVersion, jobTitle: "Clerk" }));
  assert.deepEqual([...messages.keys()], ["expectedVersion"]);
});

test("an error of the request has its code and a remedy", async () => {
  const accord = new FrontEnd(URL, KEY);
  const { id, rowVersion } = await personOf(accord, 5);
  const input = { id, expectedVersion: rowVersion, jobTitle: "Broker" };
  await assert.rejects(new FrontEnd(URL, "accord_no_key").viewer(), isError("NOT_AUTHENTICATED"));
  await assert.rejects(new FrontEnd(URL, VIEWER_KEY).saveContact(input), isError("NOT_ALLOWED"));
  const idempotencyKey = crypto.randomUUID();
  saved(await accord.saveContact({ ...input, idempotencyKey }));
  await assert.rejects(accord.saveContact({ ...input, jobTitle: "Clerk", idempotencyKey }), isError("IDEMPOTENCY_KEY_REUSED"));
});

function isError(code: string): (error: { code?: string; remedy?: string }) => boolean {
  return (error) => error.code === code && Boolean(error.remedy);
}

async function personOf(accord: FrontEnd, number: number): Promise<ContactRowFragment> {
  const { value } = await accord.contactPages(10).next();
  return (value as ContactRowFragment[])[number]!;
}

function saved<Payload>(result: Saved<Payload>): Extract<Saved<Payload>, { isSaved: true }> {
  assert.ok(result.isSaved, JSON.stringify(result));
  return result;
}

function rejected(result: Saved<unknown>): Map<string, string> {
  assert.ok(!result.isSaved);
  return result.messages;
}

function keyOf(name: string): string {
  const key = process.env[name];
  if (key === undefined) throw new Error(`${name} is not set`);
  return key;
}
