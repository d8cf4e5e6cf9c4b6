import { whole } from "../ui/words";
import { Table } from "./StageFigure";
import type { Kpi, Preview } from "./types";
import { valueIn } from "./values";

/** The KPIs that a version changes; the others behind a button. */
export function Kpis({ preview }: { preview: Preview }) {
  const changed = preview.kpis.filter(({ isChanged }) => isChanged);
  const same = preview.kpis.filter(({ isChanged }) => !isChanged);
  return (
    <section aria-labelledby="effect-kpis" className="figures">
      <h3 id="effect-kpis">KPIs</h3>
      {changed.length > 0 ? (
        <KpiTable caption="KPIs that change" kpis={changed} preview={preview} />
      ) : (
        <p>No KPI changes in this period.</p>
      )}
      {same.length > 0 && (
        <details className="as-table">
          <summary>{whole(same.length)} that stay as they are</summary>
          <KpiTable caption="KPIs that stay as they are" kpis={same} preview={preview} />
        </details>
      )}
    </section>
  );
}

function KpiTable({ caption, kpis, preview }: { caption: string; kpis: readonly Kpi[]; preview: Preview }) {
  const titles = new Map(preview.stages.map(({ key, title }) => [key, title]));
  return (
    <Table caption={caption} isCaptionSpoken heads={["KPI", "Before", "After"]}>
      {kpis.map((kpi) => (
        <tr key={`${kpi.key} ${kpi.baseStage} ${kpi.targetStage}`}>
          <th scope="row">
            {kpi.title}
            {kpi.baseStage && kpi.targetStage && (
              <span className="kpi-step">
                {titles.get(kpi.baseStage)} to {titles.get(kpi.targetStage)}
              </span>
            )}
          </th>
          <td>{valueIn(kpi.unit, kpi.figureBefore.value, kpi.currency)}</td>
          <td>{valueIn(kpi.unit, kpi.figureAfter.value, kpi.currency)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** What becomes of the targets and of the duties whose amount depends on who enters a stage. */
export function TargetsAndDuties({ preview }: { preview: Preview }) {
  if (preview.targets.length + preview.duties.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="effect-targets" className="figures">
      <h3 id="effect-targets">Targets and duties</h3>
      <Table caption="Targets and duties, before and after" isCaptionSpoken heads={["Agreed", "Goal", "Before", "After"]}>
        {preview.targets.map((target) => (
          <tr key={target.clause}>
            <th scope="row" className="agreed">
              {target.title}
            </th>
            <td>{valueIn(target.unit, target.goal, preview.currency)}</td>
            <td>{valueIn(target.unit, target.figureBefore.value, preview.currency)}</td>
            <td>{valueIn(target.unit, target.figureAfter.value, preview.currency)}</td>
          </tr>
        ))}
        {preview.duties.map((duty) => (
          <tr key={duty.clause}>
            <th scope="row" className="agreed">
              {duty.title}
            </th>
            <td>{valueIn(duty.unit, duty.owed)}</td>
            <td>{valueIn(duty.unit, duty.valueBefore)}</td>
            <td>{valueIn(duty.unit, duty.valueAfter)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

/** How many people come to each seller. */
export function Sellers({ preview }: { preview: Preview }) {
  if (preview.sellers.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="effect-sellers" className="figures">
      <h3 id="effect-sellers">The load on sellers</h3>
      <Table
        caption="People who come to a seller in the period, and in the busiest week"
        heads={["Seller"]}
        groups={[
          { title: "In the period", heads: ["Before", "After"] },
          { title: "Busiest week", heads: ["Before", "After"] },
        ]}
      >
        {preview.sellers.map((seller) => (
          <tr key={seller.memberId ?? "nobody"}>
            <th scope="row">{seller.name ?? "Nobody yet"}</th>
            <td>{whole(seller.countBefore)}</td>
            <td>{whole(seller.countAfter)}</td>
            <td>{whole(seller.mostBefore)}</td>
            <td>{whole(seller.mostAfter)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
