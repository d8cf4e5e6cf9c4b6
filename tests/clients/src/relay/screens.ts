import { graphql } from "relay-runtime";

graphql`
  query screensListQuery($first: Int!, $after: String) {
    ...screens_list @arguments(first: $first, after: $after)
  }
`;

// What usePaginationFragment reads: Relay adds pages to the connection of this key.
graphql`
  fragment screens_list on Query
  @refetchable(queryName: "screensListPageQuery")
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  ) {
    contacts(
      first: $first
      after: $after
      last: $last
      before: $before
      orderBy: [{ createdAt: DESC }]
    ) @connection(key: "screens_contacts") {
      totalCount
      edges {
        node {
          id
          firstName
          createdAt
        }
      }
    }
  }
`;
