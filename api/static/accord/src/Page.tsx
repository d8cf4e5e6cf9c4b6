import { useQuery } from "urql";
import { Ladder } from "./agreement/Ladder";
import { OverviewDocument } from "./generated/graphql";
import { Masthead } from "./ui/Masthead";
import { Failure, Loading } from "./ui/Notice";

/** The whole page. */
export function Page() {
  const [{ data, error, fetching }] = useQuery({ query: OverviewDocument });
  return (
    <>
      <Masthead viewerName={data?.viewer.name} />
      <main>
        <h1>The accord</h1>
        {error && <Failure error={error} />}
        {fetching && !data && <Loading what="the accord" />}
        {data?.accord && (
          <section aria-labelledby="stages">
            <h2 id="stages">Stages</h2>
            <Ladder stages={data.accord.stages} />
          </section>
        )}
      </main>
    </>
  );
}
