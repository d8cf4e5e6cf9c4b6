import { defineConfig } from "vite";

// Accord serves the built files under this path, with a content policy that forbids inline scripts, inline styles and
// other hosts.
export default defineConfig({
  base: "/static/accord/",
  build: {
    target: "es2022",
    // Fonts and pictures stay files: the policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      // "use client" in the packages is meant for server rendering, which this page does not use.
      onwarn: (warning, report) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && report(warning),
    },
  },
});
