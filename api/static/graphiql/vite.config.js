import { defineConfig } from "vite";

// Accord serves the built files itself under this path, with a policy that forbids inline scripts and other hosts.
export default defineConfig({
  base: "/static/graphiql/",
  // Workers are ES modules, as the page is: one format, shared chunks, and no blob: URLs in the policy.
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Fonts stay files: a data: URL would travel with the style sheet on every change of it.
    assetsInlineLimit: 0,
    // The polyfill is an inline script on old browsers; all browsers GraphiQL 5 supports preload modules themselves.
    modulePreload: { polyfill: false },
    // Monaco is one large chunk by nature; it is served from this machine and cached for good.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      // "use client" in the packages speaks to server rendering, which this page has none of.
      onwarn: (warning, report) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && report(warning),
    },
  },
});
