"""Every KPI is counted in plain Python over generated worlds and over the sample.

The test modules that count say themselves which KPIs they count, in the constant by which they choose what to ask.
"""

import pkgutil
from collections import defaultdict
from importlib import import_module
from types import ModuleType

import pytest

from schema.kpis import CATALOGUE
from tests import metrics, sample

IN_A_WORLD, IN_THE_SAMPLE = "COUNTED_IN_A_WORLD", "COUNTED_IN_THE_SAMPLE"


def declared(package: ModuleType, constant: str) -> dict[str, set[str]]:
    """The names of the test modules by the KPIs that they count."""
    found = defaultdict[str, set[str]](set)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2].startswith("test_"):
            for key in getattr(import_module(module.name), constant, ()):
                found[key].add(module.name)
    return found


@pytest.mark.parametrize(("package", "constant"), [(metrics, IN_A_WORLD), (sample, IN_THE_SAMPLE)])
def test_every_kpi_is_counted_by_hand(package: ModuleType, constant: str) -> None:
    counted = declared(package, constant)
    missing = sorted(CATALOGUE.keys() - counted.keys())
    assert not missing, (
        f"count these KPIs in plain Python in {package.__name__}, and name them in {constant}: {missing}"
    )
    assert counted.keys() <= CATALOGUE.keys()
