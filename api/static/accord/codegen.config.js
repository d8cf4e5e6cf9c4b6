// The types of the page's documents, from the committed contract. Scalars such as instants and amounts are text.
export default {
  schema: "../../../schema/schema.graphql",
  documents: ["src/queries/*.graphql"],
  errorsOnly: true,
  generates: {
    "src/generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: { useTypeImports: true, enumType: "string-literal", defaultScalarType: "string", documentMode: "documentNode" },
    },
  },
};
