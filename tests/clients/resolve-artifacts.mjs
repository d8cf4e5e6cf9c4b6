// Relay's artifacts import each other without the ending that Node needs; bundlers add it.
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => next(specifier.endsWith(".graphql") ? `${specifier}.js` : specifier, context),
});
