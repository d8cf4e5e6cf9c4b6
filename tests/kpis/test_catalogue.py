"""The catalogue is consistent: keys, guards, units, texts."""

from schema.accord import Accord
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import CUSTOMER_DIMENSIONS, dimension_doc, meanings
from schema.kpis.kinds import Kind, Subject
from schema.vocab import Unit

CUSTOMER_KPIS = frozenset({"cac", "ltv", "ltv_cac", "cac_payback_months"})


def test_the_catalogue_has_exactly_these_kpis() -> None:
    assert set(CATALOGUE) == {
        "stage_volume",
        "inquiries",
        "mqls",
        "sals",
        "sqls",
        "opportunities_created",
        "deals_won",
        "new_customers",
        "stage_conversion",
        "inquiry_to_mql",
        "sal_to_sql",
        "sql_to_opportunity",
        "mql_to_customer",
        "win_rate",
        "time_to_convert",
        "sales_cycle",
        "revenue_won",
        "avg_deal_size",
        "pipeline_created",
        "open_pipeline",
        "weighted_pipeline",
        "speed_to_lead",
        "time_in_stage",
        "mql_acceptance",
        "rejection_rate",
        "owner_response_time",
        "sla_decided_in_time",
        "sla_followed_up",
        "never_contacted_rate",
        "reject_feedback_complete",
        "default_accept_share",
        "orphan_hours",
        "marketing_delivery",
        "marketing_delivery_value",
        "recycle_rate",
        "recycled_reconversion",
        "stalled_rate",
        "touches_per_contact_7d",
        "over_pressure_rate",
        "response_rate",
        "cross_team_collision",
        "opt_out_rate",
        "stage_integrity",
        "sales_velocity",
        "pipeline_coverage",
        "cac",
        "ltv",
        "ltv_cac",
        "cac_payback_months",
        "win_rate_value",
        "push_rate",
        "forecast_accuracy",
        "marketing_sourced",
        "marketing_influenced",
    }


def test_a_kpi_has_its_own_key_and_another_kpi_as_guard() -> None:
    for key, kpi in CATALOGUE.items():
        assert kpi.key == key
        assert kpi.guard is None or (kpi.guard in CATALOGUE and kpi.guard != key)


def test_the_unit_follows_from_the_kind() -> None:
    units = {Kind.COUNT: Unit.COUNT, Kind.SPREAD: Unit.COUNT, Kind.RATIO: Unit.RATIO, Kind.CONVERSION: Unit.RATIO}
    units |= {Kind.TIME: Unit.HOURS, Kind.ATTAINMENT: Unit.RATIO}
    units |= dict.fromkeys((Kind.SUM, Kind.AVERAGE, Kind.SNAPSHOT), Unit.MONEY)
    for kpi in CATALOGUE.values():
        if kpi.kind is Kind.FORMULA:  # computes any of them
            continue
        assert kpi.unit is units.get(kpi.kind, Unit.SECONDS)


def test_every_kpi_has_a_definition_of_whole_sentences_and_something_it_reads() -> None:
    for kpi in CATALOGUE.values():
        assert kpi.definition.endswith(".")
        assert kpi.reads
        assert kpi.switches.names[-3:] == ("asOf", "timezone", "knownAt")


def test_every_dimension_of_a_kpi_says_what_it_means_for_its_subject() -> None:
    for kpi in CATALOGUE.values():
        found = meanings(kpi.subject, kpi.dimensions)
        assert tuple(meaning.dimension for meaning in found) == kpi.dimensions
        assert all(text.endswith(".") for meaning in found for text in (meaning.definition, meaning.moment))


def test_the_description_of_a_dimension_has_the_meaning_for_every_subject() -> None:
    for dimension in Dimension:
        subjects = {kpi.subject for kpi in CATALOGUE.values() if dimension in kpi.dimensions}
        assert subjects
        for subject in subjects:
            (meaning,) = meanings(subject, (dimension,))
            assert meaning.sentences[1:] in dimension_doc(dimension)


def test_only_kpis_of_a_response_have_a_responder() -> None:
    found = {kpi.key for kpi in CATALOGUE.values() if Dimension.RESPONDER in kpi.dimensions}
    assert found == {
        "speed_to_lead",
        "mql_acceptance",
        "rejection_rate",
        "owner_response_time",
        "sla_decided_in_time",
        "reject_feedback_complete",
    }


def test_only_kpis_of_deals_have_pipelines_and_only_those_of_people_lead_sources() -> None:
    for kpi in CATALOGUE.values():
        is_about_deals = kpi.subject is Subject.DEAL and kpi.key not in CUSTOMER_KPIS
        assert (Dimension.PIPELINE in kpi.dimensions) == is_about_deals
        assert (Dimension.LEAD_SOURCE in kpi.dimensions) == (kpi.subject is Subject.PERSON)


def test_kpis_of_customers_have_only_dimensions_that_split_both_their_parts() -> None:
    """Sales costs are of all customers together, so that nothing with a cost has a dimension."""
    found = {key: CATALOGUE[key].dimensions for key in CUSTOMER_KPIS}
    assert found == {"cac": (), "ltv": CUSTOMER_DIMENSIONS, "ltv_cac": (), "cac_payback_months": ()}


def test_every_kpi_has_a_formula_of_one_sentence_that_names_no_other_unit_than_its_kind() -> None:
    divided = {Kind.RATIO, Kind.CONVERSION, Kind.ATTAINMENT, Kind.AVERAGE, Kind.SPREAD}
    words = {Kind.COUNT: "number", Kind.SUM: "sum", Kind.SNAPSHOT: "sum", Kind.TIME: "sum", Kind.DURATION: "median"}
    words |= {Kind.FORMULA: "divided by"}
    words |= dict.fromkeys(divided, "divided by")
    for kpi in CATALOGUE.values():
        assert kpi.formula.endswith("."), kpi.key
        assert words[kpi.kind] in kpi.formula.lower(), kpi.key


def test_every_switch_of_a_kpi_has_its_default() -> None:
    for kpi in CATALOGUE.values():
        assert tuple(switch.name for switch in kpi.switches.defaults) == kpi.switches.names
        assert all(switch.default for switch in kpi.switches.defaults)
    defaults = {switch.name: switch.default for switch in CATALOGUE["mql_to_customer"].switches.defaults}
    assert (defaults["anchor"], defaults["reentry"], defaults["skip"]) == ("COHORT", "FIRST", "IMPLIED")
    assert defaults["window"] == "The accord's window between the two stages."
    own = {"recycled_reconversion": "180 days", "response_rate": "14 days", "opt_out_rate": "30 days"}
    for key, length in own.items():
        [window] = [switch for switch in CATALOGUE[key].switches.defaults if switch.name == "window"]
        assert (window.default, window.condition) == (length, "It needs a length: `none` is refused.")


def test_the_clauses_of_a_kpi_are_sections_of_the_accord() -> None:
    for kpi in CATALOGUE.values():
        assert {*kpi.accord_clauses} <= {*Accord.model_fields}
        assert ("stages" in kpi.accord_clauses) == kpi.switches.reads_stages, kpi.key
        assert (kpi.accord_clauses != ("reporting",)) == kpi.switches.has_reading, kpi.key
    assert CATALOGUE["over_pressure_rate"].accord_clauses == ("contact_policy", "reporting")
    assert CATALOGUE["orphan_hours"].accord_clauses == ("stages", "exits", "calendars", "handoff", "reporting")
