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

graphql`
  query screensNowQuery($id: ID!) @throwOnFieldError {
    contact(id: $id) {
      id
      stage {
        key
        since
      }
    }
  }
`;

graphql`
  query screensThenQuery($id: ID!, $asOf: DateTime!) {
    contact(id: $id, asOf: $asOf) {
      id
      recordId
      stage {
        key
        since
      }
    }
  }
`;

graphql`
  query screensKpiQuery($period: PeriodInput) @throwOnFieldError {
    kpi(key: WIN_RATE, period: $period) {
      id
      value
      ...screens_kpi
    }
  }
`;

// What useRefetchableFragment reads: Relay makes a query of it, by the id of the answer.
graphql`
  fragment screens_kpi on KpiAnswer @refetchable(queryName: "screensKpiRefetchQuery") {
    value
    valueFloat
    numerator
    denominator
  }
`;
