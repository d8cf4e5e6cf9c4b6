import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";
import { URL } from "./server.js";

// The audit of the GraphQL-over-HTTP specification: what it demands, recommends and permits.
const AUDITS = serverAudits({ url: URL, fetchFn: fetch });

test("the audit is whole", () => assert.equal(AUDITS.length, 61));

for (const audit of AUDITS) {
  test(`${audit.id}: ${audit.name}`, async () => {
    const found = await audit.fn();
    assert.equal(found.status, "ok", found.status === "ok" ? "" : found.reason);
  });
}
