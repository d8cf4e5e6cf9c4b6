import { defineConfig } from "vite";

// Accord serves the built files under this path, with a content policy that forbids inline scripts and other hosts.
export default defineConfig({
  base: "/static/graphiql/",
  // Workers are ES modules like the page: one format, shared chunks, and no blob: URLs in the content policy.
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Fonts stay files: as data: URLs they would be downloaded again with every change of the style sheet.
    assetsInlineLimit: 0,
    // The polyfill is an inline script for old browsers; all browsers that GraphiQL 5 supports preload modules.
    modulePreload: { polyfill: false },
    // Monaco is one large chunk. It is served locally and cached for a year.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      // "use client" in the packages is meant for server rendering, which this page does not use.
      onwarn: (warning, report) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && report(warning),
    },
  },
});
