"""HTTP edge: middleware, routes, the GraphQL endpoint, identification, health checks, and GraphiQL with its files."""
