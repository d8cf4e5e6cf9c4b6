"""HTTP edge: routes, the GraphQL endpoint, who may ask from where, health, GraphiQL and its files."""
