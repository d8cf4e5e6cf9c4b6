// The Relay compiler reads JSON or CommonJS only, so its configuration is written with the scalars that Accord prints.
import { readFileSync, writeFileSync } from "node:fs";

const config = {
  src: "./src/relay",
  schema: "./src/generated/schema.graphql",
  language: "typescript",
  artifactDirectory: "./src/relay/__generated__",
  eagerEsModules: true,
  customScalarTypes: JSON.parse(readFileSync("src/generated/scalars.relay.json", "utf8")),
};
writeFileSync("relay.config.json", JSON.stringify(config));
