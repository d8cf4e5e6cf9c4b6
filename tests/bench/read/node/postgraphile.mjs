// PostGraphile 5 configured for production: its base preset with the two plugins that the queries need, grafserv on
// Node's own HTTP server, results as text without an object in between, no GraphiQL, no watch mode. Requests may have
// 2 MiB, as Accord's mutations: a document of 500 mutations has more than the default.
//   DATABASE_URL=… node postgraphile.mjs PORT

import { createServer } from "node:http";

import { PgAggregatesPreset } from "@graphile/pg-aggregates";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { pgSmartTags } from "postgraphile/utils";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const POOL = 10;

// PostGraphile offers groups only by columns that it can sort by. A column without an index needs this behavior.
const groupsByCurrency = pgSmartTags([
  { kind: "attribute", match: "public.deal.currency", tags: { behavior: "+orderBy" } },
]);

const instance = postgraphile({
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset, PgAggregatesPreset],
  plugins: [groupsByCurrency],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["public"],
      poolConfig: { max: POOL, idleTimeoutMillis: 0 },
    }),
  ],
  grafserv: { graphiql: false, watch: false, outputDataAsString: true, maxRequestLength: 2 ** 21 },
  grafast: { explain: false },
});

const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.argv[2]), "127.0.0.1");
