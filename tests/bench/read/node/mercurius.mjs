// Mercurius with its JIT and a hand-written schema: resolvers for the root fields and a batched loader for every link,
// each with one prepared statement. The loaders do not cache, because a batch contains every key once.
//   DATABASE_URL=… node mercurius.mjs PORT

import { readFileSync } from "node:fs";

import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const POOL = 10;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: POOL, idleTimeoutMillis: 0 });
const names = new Map();

/** Return the rows of a statement, which is prepared once on each connection. */
async function rows(text, values) {
  let name = names.get(text);
  if (name === undefined) {
    name = `statement_${names.size}`;
    names.set(text, name);
  }
  return (await pool.query({ name, text, values })).rows;
}

const instant = (column) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
const bareId = (id) => id.slice(id.lastIndexOf("_") + 1);

const CONTACT = `'contact_' || c.id as id, c.id as key, c.first_name as "firstName", c.last_name as "lastName", c.email,
  c.phone, c.job_title as "jobTitle", c.country, c.lead_source as "leadSource", c.lead_score as "leadScore",
  ${instant("c.created_at")} as "createdAt", c.company_id as "companyId"`;
const DEAL = `'deal_' || d.id as id, d.id as key, d.name, d.outcome, ${instant("d.closed_at")} as "closedAt",
  d.amount as sum, d.currency, d.company_id as "companyId"`;

const TOTALS = "select d.currency, count(*)::int as deals, sum(d.amount), max(d.amount) from deal d";

/** Return a function that calls `load` once and then returns the same promise. */
function once(load) {
  let loaded;
  return () => (loaded ??= load());
}

/** Return the `order by` of a list. Its columns come from `columns`, never from the request; the default is the key. */
function order(given, columns, key) {
  const sorted = (given ?? []).flatMap((order) =>
    Object.entries(order).map(([name, direction]) => `${columns[name]} ${direction === "DESC" ? "desc" : "asc"}`),
  );
  return sorted.length ? sorted.join(", ") : `${key} asc`;
}

/** Return the conditions on deals and their parameters. */
function conditions(where) {
  const texts = ["d.deleted_at is null"];
  const values = [];
  const add = (text, value) => {
    if (value != null) {
      values.push(value);
      texts.push(text + values.length);
    }
  };
  add("d.outcome = $", where?.outcome?.eq);
  add("d.closed_at >= $", where?.closedAt?.gte);
  add("d.closed_at < $", where?.closedAt?.lt);
  return { text: texts.join(" and "), values };
}

function page(found, first) {
  const nodes = found.slice(0, first);
  return { nodes, pageInfo: { hasNextPage: found.length > first, endCursor: nodes.at(-1)?.id ?? null } };
}

const resolvers = {
  Query: {
    async contact(_, { id }) {
      const text = `select ${CONTACT} from contact c where c.id = $1 and c.deleted_at is null`;
      const found = await rows(text, [bareId(id)]);
      return found[0] ?? null;
    },
    async contacts(_, { first, after }) {
      const text = `select ${CONTACT} from contact c
        where ($1::uuid is null or c.id > $1) and c.deleted_at is null order by c.id limit $2`;
      return page(await rows(text, [after ? bareId(after) : null, first + 1]), first);
    },
    async deals(_, { first, where, orderBy }) {
      const { text, values } = conditions(where);
      const sorted = order(orderBy, { closedAt: "d.closed_at", id: "d.id" }, "d.id");
      const listed = `select ${DEAL} from deal d where ${text} order by ${sorted} limit $${values.length + 1}`;
      const all = once(() => rows(`${TOTALS} where ${text} group by d.currency order by d.currency`, values));
      return { ...page(await rows(listed, [...values, first + 1]), first), all };
    },
  },
  DealConnection: {
    totalCount: async ({ all }) => (await all()).reduce((total, { deals }) => total + deals, 0),
    async aggregate({ all }) {
      const known = (await all()).filter(({ max }) => max !== null);
      const figures = (name) => ({ amount: known.map((group) => ({ amount: group[name], currency: group.currency })) });
      return { sum: figures("sum"), max: figures("max") };
    },
  },
  Deal: { amount: (deal) => (deal.sum === null ? null : { amount: deal.sum, currency: deal.currency }) },
};

/** Return a loader of the record that a foreign key refers to. */
function one(column, text) {
  return {
    async loader(queries) {
      const keys = [...new Set(queries.map(({ obj }) => obj[column]).filter((key) => key !== null))];
      const known = new Map();
      if (keys.length) {
        for (const row of await rows(text, [keys])) known.set(row.key, row);
      }
      return queries.map(({ obj }) => known.get(obj[column]) ?? null);
    },
    opts: { cache: false },
  };
}

/** Return a loader of one list for each record. The arguments of a field are the same for a whole batch. */
function many(textOf) {
  return {
    async loader(queries) {
      const lists = new Map(queries.map(({ obj }) => [obj.key, []]));
      const found = await rows(textOf(queries[0].params), [[...lists.keys()], queries[0].params.first]);
      for (const row of found) lists.get(row.owner).push(row);
      return queries.map(({ obj }) => ({ nodes: lists.get(obj.key) }));
    },
    opts: { cache: false },
  };
}

const COMPANIES = `select f.id as key, 'company_' || f.id as id, f.name, f.industry
  from company f where f.id = any($1::uuid[]) and f.deleted_at is null`;

const loaders = {
  Contact: {
    company: one("companyId", COMPANIES),
    dealRoles: many(
      () => `select r.* from unnest($1::uuid[]) owner (id), lateral (
        select r.contact_id as owner, r.role, r.deal_id as "dealId" from deal_contact r
        where r.contact_id = owner.id order by r.deal_id limit $2) r`,
    ),
    touchpoints: many(
      ({ orderBy }) => `select t.* from unnest($1::uuid[]) owner (id), lateral (
        select t.contact_id as owner, ${instant("t.occurred_at")} as "occurredAt", t.kind, t.channel,
          t.campaign_id as "campaignId"
        from touchpoint t where t.contact_id = owner.id
        order by ${order(orderBy, { occurredAt: "t.occurred_at", id: "t.id" }, "t.id")} limit $2) t`,
    ),
  },
  Deal: { company: one("companyId", COMPANIES) },
  DealContact: {
    deal: one("dealId", `select ${DEAL} from deal d where d.id = any($1::uuid[]) and d.deleted_at is null`),
  },
  Touchpoint: {
    campaign: one(
      "campaignId",
      "select g.id as key, 'campaign_' || g.id as id, g.name from campaign g where g.id = any($1::uuid[])",
    ),
  },
};

const app = Fastify({ logger: false });
const schema = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false });
await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
