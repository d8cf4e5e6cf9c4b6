import { readFileSync } from "node:fs";

export default {
  schema: "src/generated/schema.graphql",
  documents: ["../../api/web/screens/*.graphql", "src/documents.graphql", "src/front_end.graphql"],
  generates: {
    "src/generated/codegen/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        ...JSON.parse(readFileSync("src/generated/codegen.json", "utf8")),
        useTypeImports: true,
        enumType: "const",
        documentMode: "documentNode",
      },
    },
  },
};
