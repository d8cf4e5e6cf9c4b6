"""The KPI catalogue. A new KPI is one value in one of these modules; a new subject, a module and its name here."""

from schema.kpis import conversion, pipeline, velocity, volume
from schema.kpis.kinds import Kpi

CATALOGUE: dict[str, Kpi] = {kpi.key: kpi for module in (volume, conversion, velocity, pipeline) for kpi in module.KPIS}
