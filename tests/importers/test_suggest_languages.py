"""--suggest reads headers in five languages and the shapes of other tools' exports; it names a preset that ships."""

import tomllib
from pathlib import Path

import pytest

from api.db import Database
from api.importers.exports.shipped import find_shipped_preset
from api.importers.run_import import run_import
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from tests.importers.conftest import rows

# ruff: noqa: E501 - headers of files are as long as they are
SHAPES = {
    "German": (
        "Kontakt-ID;Vorname;Nachname;E-Mail-Adresse;Telefonnummer;Firma;Kontaktinhaber;Land;Erstellt am",
        "1;Ida;Berg;ida@nord.example;+49 30 1;Nord;Ann Lee;Deutschland;25.02.2026",
        {
            "first_name": "Vorname",
            "last_name": "Nachname",
            "email": "E-Mail-Adresse",
            "phone": "Telefonnummer",
            "company": "Firma",
            "owner": "Kontaktinhaber",
            "country": "Land",
            "begins": "Erstellt am",
        },
    ),
    "German, whole names": (
        "Kontakt-ID;Vollständiger Name;E-Mail",
        "1;Ida Berg;ida@nord.example",
        {"last_name": "Vollständiger Name", "email": "E-Mail"},
    ),
    "French": (
        "ID;Prénom;Nom;Adresse e-mail;Fonction;Entreprise;Date de création",
        "1;Ida;Berg;ida@nord.example;Acheteuse;Nord;25/02/2026",
        {
            "first_name": "Prénom",
            "last_name": "Nom",
            "email": "Adresse e-mail",
            "job_title": "Fonction",
            "company": "Entreprise",
            "begins": "Date de création",
        },
    ),
    "French without accents": (
        "ID;PRENOM;NOM;Courriel",
        "1;Ida;Berg;ida@nord.example",
        {"first_name": "PRENOM", "last_name": "NOM", "email": "Courriel"},
    ),
    "Spanish": (
        "ID,Nombre,Apellidos,Correo electrónico,Teléfono,País,Empresa,Fecha de creación",
        "1,Ida,Berg,ida@nord.example,+34 1,España,Norte,25/02/2026",
        {
            "first_name": "Nombre",
            "last_name": "Apellidos",
            "email": "Correo electrónico",
            "phone": "Teléfono",
            "country": "País",
            "company": "Empresa",
            "begins": "Fecha de creación",
        },
    ),
    "Portuguese": (
        "ID,Primeiro nome,Sobrenome,Endereço de e-mail,Celular,Cargo,Data de criação",
        "1,Ida,Berg,ida@nord.example,+55 1,Compradora,25/02/2026",
        {
            "first_name": "Primeiro nome",
            "last_name": "Sobrenome",
            "email": "Endereço de e-mail",
            "phone": "Celular",
            "job_title": "Cargo",
            "begins": "Data de criação",
        },
    ),
    "Pipedrive, people": (
        "Person - Name,Person - Organization,Person - Email - Work,Person - Phone - Mobile,Person - Owner,Person - Person created,Person - ID",
        "Ida Berg,Nord,ida@nord.example,+49 1,Ann Lee,2026-02-25 10:11:12,7",
        {
            "last_name": "Person - Name",
            "company": "Person - Organization",
            "email": "Person - Email - Work",
            "phone": "Person - Phone - Mobile",
            "owner": "Person - Owner",
            "begins": "Person - Person created",
        },
    ),
    "Mailchimp": (
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,LEID,EUID",
        "ida@nord.example,Ida,Berg,4,2026-02-25 10:11:12,192.0.2.1,77,abc",
        {"email": "Email Address", "first_name": "First Name", "last_name": "Last Name", "begins": "OPTIN_TIME"},
    ),
    "Zoho": (
        "Record Id,Contact Owner,First Name,Last Name,Account Name,Email,Phone,Lead Source,Created Time,Email Opt Out",
        "zcrm_1,Ann Lee,Ida,Berg,Nord,ida@nord.example,+49 1,Web,2026-02-25 10:11:12,false",
        {
            "first_name": "First Name",
            "last_name": "Last Name",
            "email": "Email",
            "phone": "Phone",
            "company": "Account Name",
            "owner": "Contact Owner",
            "lead_source": "Lead Source",
            "begins": "Created Time",
            "email_opt_out": "Email Opt Out",
        },
    ),
    "Pardot": (
        "Prospect Id,First Name,Last Name,Email,Company,Score,Source,Assigned User,Created Date",
        "9,Ida,Berg,ida@nord.example,Nord,55,Web,Ann Lee,2026-02-25 10:11:12",
        {
            "first_name": "First Name",
            "last_name": "Last Name",
            "email": "Email",
            "company": "Company",
            "lead_score": "Score",
            "lead_source": "Source",
            "owner": "Assigned User",
            "begins": "Created Date",
        },
    ),
    "Google Forms": (
        "Zeitstempel,E-Mail-Adresse,Vollständiger Name,Nummer der Antwort ID",
        "25.02.2026 10:11:12,ida@nord.example,Ida Berg,1",
        {"email": "E-Mail-Adresse", "last_name": "Vollständiger Name", "begins": "Zeitstempel"},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_headers_of_other_languages_and_tools_are_read(database: Database, tmp_path: Path, shape: str) -> None:
    header, row, expected = SHAPES[shape]
    (tmp_path / "people.csv").write_text(f"{header}\n{row}\n")
    made = suggest(tmp_path / "people.csv")
    assert (made.table, made.is_table_certain, made.questions) == ("contact", True, 0)
    text = preset_text(made)
    found = tomllib.loads(text)["files"][0]["records"][0]
    assert {**found["fields"], "begins": found.get("begins")} == {"begins": None, **expected}
    (tmp_path / "people.toml").write_text(text)
    await run_import(database, str(tmp_path / "people.toml"), tmp_path, file="people.csv")
    assert await rows(database, "select email from contact") == [("ida@nord.example",)]


DEALS = {
    "Pipedrive": (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Status,Deal - Stage,Deal - Expected close date,Deal - Won time,Deal - Organization,Deal - Owner,Deal - Deal created",
        "1,Big,1000,EUR,Won,Offer,2026-02-20,2026-02-25 10:11:12,Nord,Ann Lee,2026-02-01 09:00:00",
    ),
    "German": (
        "Deal-ID;Dealname;Betrag;Währung;Deal-Phase;Abgeschlossen am;Firma;Zuständig;Erstellt am",
        "1;Big;1000;EUR;Gewonnen;2026-02-25;Nord;Ann Lee;2026-02-01",
    ),
    "French": ("ID;Nom de la transaction;Montant;Devise;Statut;Clôturé le", "1;Big;1000;EUR;Gagné;2026-02-25"),
    "Spanish": ("ID;Nombre del negocio;Importe;Moneda;Estado;Cerrado el", "1;Big;1000;EUR;Ganado;2026-02-25"),
    "Portuguese": ("ID;Nome do negócio;Valor;Moeda;Situação;Fechado em", "1;Big;1000;EUR;Ganho;2026-02-25"),
    "a currency beside its amount": (
        "Deal ID,Deal Name,Currency,Amount Currency,Amount,Stage,Closed Date",
        "1,Big,USD,EUR,1000,Closed Won,2026-02-25",
    ),
}


@pytest.mark.parametrize("shape", DEALS)
async def test_deals_keep_the_currency_of_their_amount(database: Database, tmp_path: Path, shape: str) -> None:
    header, row = DEALS[shape]
    (tmp_path / "deals.csv").write_text(f"{header}\n{row}\n")
    made = suggest(tmp_path / "deals.csv")
    assert (made.table, made.questions) == ("deal", 0)
    (tmp_path / "deals.toml").write_text(preset_text(made))
    await run_import(database, str(tmp_path / "deals.toml"), tmp_path, file="deals.csv")
    found = await rows(database, "select name, amount, currency, outcome, closed_at::date::text from deal")
    assert found == [("Big", 1000, "EUR", "WON", "2026-02-25")]


async def test_dates_of_winning_and_of_losing_are_two_columns(database: Database, tmp_path: Path) -> None:
    header = "Deal - ID,Deal - Title,Deal - Status,Deal - Won time,Deal - Lost time"
    lines = ("1,A,Won,2026-02-25 10:11:12,", "2,B,Lost,,2026-02-26 10:11:12", "3,C,Open,,")
    (tmp_path / "deals.csv").write_text("\n".join((header, *lines)))
    (tmp_path / "deals.toml").write_text(preset_text(suggest(tmp_path / "deals.csv")))
    report = await run_import(database, str(tmp_path / "deals.toml"), tmp_path, file="deals.csv")
    assert report.rejected == 0
    found = await rows(database, "select name, outcome, closed_at::date::text from deal order by name")
    assert found == [("A", "WON", "2026-02-25"), ("B", "LOST", "2026-02-26"), ("C", "OPEN", None)]


@pytest.mark.parametrize(
    ("header", "preset", "kind", "lacking"),
    [
        (
            "Record ID,First Name,Last Name,Email,Lifecycle Stage,Contact owner,Create Date",
            "hubspot-export",
            "contacts",
            (),
        ),
        ("Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount", "hubspot-export", "deals", ()),
        ("Record ID,Company name,Company Domain Name,Industry,Company owner", "hubspot-export", "companies", ()),
        ("Contact ID,First Name,Last Name,Account Name,Email,Contact Owner", "salesforce-report", "contacts", ()),
        (
            "Opportunity ID,Opportunity Name,Stage,Amount Currency,Amount,Close Date",
            "salesforce-report",
            "opportunities",
            (),
        ),
        ("Campaign Name,Member Status,Contact ID,Last Name,Email", "salesforce-report", "campaign members", ()),
        ("Day,Campaign,Currency code,Cost", "google-ads", "costs", ()),
        ("Campaign,Day,Impr.,Clicks,Cost", "google-ads", "costs", ("Currency code",)),
        ("Campaign name,Reporting starts,Reporting ends,Amount spent (EUR)", "meta-ads", "costs", ()),
        ("Start Date (in UTC),Campaign Name,Currency,Total Spent", "linkedin-ads", "costs", ()),
    ],
)
def test_a_shape_that_a_shipped_preset_reads_points_to_it(
    header: str, preset: str, kind: str, lacking: tuple[str, ...]
) -> None:
    found = find_shipped_preset(header.split(","))
    assert found is not None
    assert (found.name, found.kind, found.lacking) == (preset, kind, lacking)


@pytest.mark.parametrize("shape", SHAPES)
def test_other_shapes_point_to_no_preset(shape: str) -> None:
    header = SHAPES[shape][0]
    assert find_shipped_preset(header.split(";" if ";" in header else ",")) is None


def test_the_suggestion_names_the_preset_first(tmp_path: Path) -> None:
    file = tmp_path / "hubspot-crm-exports-2026-03-02.csv"
    file.write_text("Record ID,First Name,Last Name,Email,Lifecycle Stage\n1,Ida,Berg,ida@nord.example,Lead\n")
    advice = "The columns look like the contacts of: HubSpot: contacts, companies and deals, exported by hand. A shipped preset reads them: accord import hubspot-export hubspot-crm-exports-2026-03-02.csv"
    assert f"# {advice}" in preset_text(suggest(file)).splitlines()
