"""The KPI catalogue. A new KPI is one value in one of these modules. A new group of KPIs is a module, listed here."""

from schema.kpis import attribution, conversion, economics, governance, handoff, pipeline, pressure, velocity, volume
from schema.kpis.kpi import Kpi

_SUBJECTS = (volume, conversion, velocity, pipeline, attribution, handoff, pressure, economics, governance)
CATALOGUE: dict[str, Kpi] = {kpi.key: kpi for module in _SUBJECTS for kpi in module.KPIS}
