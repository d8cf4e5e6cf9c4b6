import { readFileSync } from "node:fs";

export default {
  schema: "src/generated/schema.graphql",
  documents: ["../../api/web/screens/*.graphql", "src/documents.graphql"],
  generates: {
    "src/generated/codegen/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        scalars: JSON.parse(readFileSync("src/generated/scalars.codegen.json", "utf8")),
        strictScalars: true,
        useTypeImports: true,
        enumType: "const",
        documentMode: "documentNode",
      },
    },
  },
};
