// PostGraphile 5 tuned for production: its base preset with the two plugins that the questions need, grafserv on Node's
// own HTTP server, results written as text at once, no GraphiQL, no watching.
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

// Columns are grouped by only where lists may be sorted by them: without an index, if it is said.
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
  grafserv: { graphiql: false, watch: false, outputDataAsString: true },
  grafast: { explain: false },
});

const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.argv[2]), "127.0.0.1");
