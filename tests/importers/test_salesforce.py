"""The salesforce preset, on made-up files of the exporter's shape: converted leads, and kept versions."""

# ruff: noqa: E501 - headers of files are as long as they are
import csv
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows

FILES = {
    "sf_user_role_data.csv": "id,name\nr1,Marketing\nr2,Account Executives\n",
    "sf_user_data.csv": """id,name,first_name,last_name,email,title,user_role_id,manager_id
u1,Ann Lee,Ann,Lee,ann@acme.com,VP and Director of Sales,r2,u9
u2,,Bob,Ray,bob@acme.com,SDR,,u1
""",
    "sf_account_data.csv": """id,_fivetran_synced,name,industry,is_deleted,billing_country,number_of_employees,owner_id,parent_id,annual_revenue
a1,2022-01-01 00:00:00,Acme,toys,false,France,10,u1,,
a2,2022-01-01 00:00:00,Acme West,,TRUE,,,u7,a1,5000.5
""",
    "sf_account_history_data.csv": """_fivetran_active,_fivetran_start,_fivetran_end,id,name,industry,is_deleted,billing_country,number_of_employees,owner_id,parent_id,annual_revenue
false,2021-01-01 00:00:00,2021-05-31 23:59:59,a1,Acme SA,games,false,France,8,u2,,
true,2021-06-01 00:00:00,9999-12-31 23:59:59,a1,Acme,toys,false,France,10,u1,,
""",
    "sf_lead_data.csv": """id,created_date,is_deleted,is_converted,converted_date,converted_contact_id,converted_account_id,status,first_name,last_name,email,owner_id,has_opted_out_of_email,lead_source
l1,2021-02-01 6:49:18,FALSE,TRUE,2021-03-01 00:00:00,p1,a1,Closed - Converted,Eve,Hall,eve@x.com,u2,FALSE,Web
l2,2021-02-02 06:49:18,FALSE,false,,,,Working - Contacted,Kim,Fox,kim@y.com,u2,true,Web
""",
    "sf_contact_data.csv": """id,_fivetran_synced,account_id,created_date,email,first_name,last_name,is_deleted,owner_id,title,lead_source,master_record_id
p1,2022-01-01 00:00:00,a1,2021-03-01 00:00:00,eve@x.com,Eve,Hall,false,u1,CTO,Web,
p2,2022-01-01 00:00:00,a1,2021-03-02 00:00:00,eve@old.com,Eve,Hall,true,u1,,,p1
""",
    "sf_contact_history_data.csv": """_fivetran_start,_fivetran_end,id,account_id,email,first_name,last_name,owner_id,title,lead_source
2021-03-01 00:00:00,2021-04-01 00:00:00,p1,a1,eve@x.com,Eve,Hall,u2,Engineer,Web
2021-04-01 00:00:00,9999-12-31 23:59:59,p1,a1,eve@x.com,Eve,Hall,u1,CTO,Web
""",
    "sf_product_2_data.csv": "id,name,family\nx1,Plan,Usage\nx2,Plan,Other\n",
    "sf_campaign_data.csv": """id,name,type,status,start_date,end_date,budgeted_cost,parent_id
k1,Fair 2021,Trade Show,Completed,2021-01-10,2021-01-12,5000,
""",
    "sf_campaign_member_data.csv": """id,campaign_id,contact_id,lead_id,status,has_responded,first_responded_date,created_date
m1,k1,,l1,Attended,true,2021-01-11,2021-01-01 00:00:00
m2,k1,,l2,Sent,false,,2021-01-01 00:00:00
""",
    "sf_opportunity_data.csv": """id,_fivetran_synced,account_id,amount,campaign_id,close_date,created_date,is_closed,is_deleted,is_won,name,owner_id,probability,stage_name
o1,2022-01-01 00:00:00,a1,1000,k1,2021-05-01 00:00:00,2021-03-01 10:00:00,true,false,true,Big,u1,100,Closed Won
o2,2022-01-01 00:00:00,a9,,,2021-06-01 00:00:00,2021-06-01 18:00:00,true,false,false,Quick,u9,0,Closed Lost
o3,2022-01-01 00:00:00,a1,50,,2099-01-01 00:00:00,2021-06-02 18:00:00,false,true,false,Gone,u1,65,Proposal
o4,2022-01-01 00:00:00,a1,50,,2099-01-01 00:00:00,2021-06-02 18:00:00,false,false,false,Odd,u1,1000,Proposal
""",
    "sf_opportunity_history_data.csv": """_fivetran_start,_fivetran_end,id,amount,close_date,is_closed,is_won,name,owner_id,probability,stage_name
2021-03-01 10:00:00,2021-04-01 9:00:00,o1,500,2021-06-01 00:00:00,false,false,Big,u2,10,Prospecting
2021-04-01 9:00:00,2021-05-01 12:30:00,o1,1000,2021-06-01 00:00:00,false,false,Big,u1,65,Proposal
2021-05-01 12:30:00,9999-12-31 23:59:59,o1,1000,2021-05-01 00:00:00,true,true,Big,u1,100,Closed Won
""",
    "sf_opportunity_line_item_data.csv": "id,opportunity_id,product_2_id,is_deleted\ni1,o1,x1,FALSE\ni2,o1,x2,true\ni3,o8,x1,\n",
    "sf_opportunity_contact_role_data.csv": "id,opportunity_id,contact_id,role,is_primary\nc1,o1,p1,Decision Maker,true\n",
    "sf_task_data.csv": """id,who_id,what_id,owner_id,created_date,activity_date,completed_date_time,is_closed,is_deleted,status,task_subtype,type,call_type,call_duration_in_seconds,call_disposition,no_show_c
t1,l1,o1,u2,2021-02-03 00:00:00,2021-02-04 00:00:00,2021-02-04 10:00:00,TRUE,FALSE,Completed,Call,,Inbound,90,Left Message,FALSE
t2,p1,,u1,2021-02-03 00:00:00,2021-02-05 00:00:00,,true,FALSE,Completed,Task,Meeting,,,,TRUE
t3,p1,,u1,2021-02-03 00:00:00,2021-02-05 00:00:00,,FALSE,FALSE,Open,Call,,,,,
t4,p1,,u1,2021-02-03 00:00:00,2021-02-05 00:00:00,,TRUE,FALSE,Completed,Task,Other,,,,
t5,p8,,u1,2021-02-03 00:00:00,2021-02-05 00:00:00,,TRUE,FALSE,Completed,Email,,,,,
t6,p1,,u1,2021-02-03 00:00:00,2021-02-05 00:00:00,,TRUE,TRUE,Completed,Email,,,,,
""",
    "sf_event_data.csv": """id,who_id,what_id,owner_id,activity_date,activity_date_time,start_date_time,duration_in_minutes,is_deleted,no_show_c,type
e1,l2,a1,u1,2021-02-06 00:00:00,2021-02-06 15:00:00,2021-02-06 15:00:00,30,FALSE,TRUE,Meeting
e2,,a1,u1,2021-02-06 00:00:00,2021-02-06 15:00:00,2021-02-06 15:00:00,30,FALSE,FALSE,Meeting
""",
}


def put(folder: Path, *, without: tuple[str, ...] = (), **instead: str) -> Path:
    for name, text in FILES.items():
        if name not in without:
            (folder / name).write_text(instead.get(name.removesuffix(".csv"), text))
    return folder


async def test_a_converted_lead_and_its_contact_are_one_person(database: Database, tmp_path: Path) -> None:
    await run_import(database, "salesforce", put(tmp_path))
    found = await rows(
        database,
        """select k.external_id, c.email, c.job_title, c.email_opt_out, o.name, m.email, c.deleted_at
        from external_key k join contact c on c.id = k.record_id and k.entity = 'contact'
        left join company o on o.id = c.company_id left join contact m on m.id = c.merged_into_id order by 1""",
    )
    assert found == [
        ("l1", "eve@x.com", "CTO", False, "Acme", None, None),
        ("l2", "kim@y.com", None, True, None, None, None),
        ("p1", "eve@x.com", "CTO", False, "Acme", None, None),
        ("p2", "eve@old.com", None, False, "Acme", "eve@x.com", at("2022-01-01")),
    ]
    assert await rows(database, "select count(*) from contact") == [(3,)]
    found = await rows(
        database,
        """select v.valid_from, v.job_title, m.name from contact_version v left join member m on m.id = v.owner_id
        join external_key k on k.record_id = v.contact_id and k.external_id = 'p1' order by 1""",
    )
    assert found == [
        (at("2021-02-01 06:49:18"), None, None),
        (at("2021-03-01"), "Engineer", "Bob Ray"),
        (at("2021-04-01"), "CTO", "Ann Lee"),
    ]


async def test_a_lead_that_is_converted_later_stays_the_person_it_was(database: Database, tmp_path: Path) -> None:
    leads = FILES["sf_lead_data.csv"]
    later = leads.replace(
        "FALSE,false,,,,Working - Contacted", "FALSE,true,2021-05-05 00:00:00,p7,a1,Closed - Converted"
    )
    await run_import(database, "salesforce", put(tmp_path))
    before = await rows(database, "select id from contact where email = 'kim@y.com'")
    report = await run_import(database, "salesforce", put(tmp_path, sf_lead_data=later))
    assert report.records["contact"].created == 0
    assert await rows(database, "select id from contact where email = 'kim@y.com'") == before
    assert await rows(database, "select record_id from external_key where external_id = 'p7'") == before


async def test_the_stages_that_the_source_reports_are_kept_beside_the_accord_s(
    database: Database, tmp_path: Path
) -> None:
    await run_import(database, "salesforce", put(tmp_path))
    found = await rows(
        database,
        """select c.email, r.source_stage, r.stage, r.entered_at from reported_stage r
        join contact c on c.id = r.contact_id order by 1, r.entered_at nulls last""",
    )
    assert found == [
        ("eve@x.com", "Lead", "inquiry", at("2021-02-01 06:49:18")),
        ("eve@x.com", "Converted", "sql", at("2021-03-01")),
        ("kim@y.com", "Lead", "inquiry", at("2021-02-02 06:49:18")),
        ("kim@y.com", "Working - Contacted", "sal", None),
    ]


async def test_accounts_and_users_with_the_versions_that_the_exporter_kept(database: Database, tmp_path: Path) -> None:
    await run_import(database, "salesforce", put(tmp_path))
    found = await rows(
        database,
        """select v.valid_from, v.valid_to, v.name, v.industry, v.employees, m.name from company_version v
        join external_key k on k.record_id = v.company_id and k.external_id = 'a1'
        join member m on m.id = v.owner_id order by 1""",
    )
    june = at("2021-06-01")
    assert found == [
        (at("2021-01-01"), june, "Acme SA", "games", 8, "Bob Ray"),
        (june, None, "Acme", "toys", 10, "Ann Lee"),
    ]
    found = await rows(
        database,
        "select c.name, p.name, c.annual_revenue::text, c.deleted_at from company c join company p on p.id = c.parent_id",
    )
    assert found == [("Acme West", "Acme", "5000.50", at("2022-01-01"))]
    found = await rows(
        database,
        """select m.name, m.role, t.name, t.kind, b.name from member m left join team t on t.id = m.team_id
        left join member b on b.id = m.manager_id order by 1""",
    )
    assert found == [
        ("Ann Lee", "MANAGER", "Account Executives", "SALES", None),
        ("Bob Ray", "SDR", None, None, "Ann Lee"),
    ]


async def test_opportunities_have_the_history_that_the_exporter_kept(database: Database, tmp_path: Path) -> None:
    await run_import(database, "salesforce", put(tmp_path))
    found = await rows(
        database,
        """select d.name, s.name, s.rank, d.outcome, d.opened_at, d.closed_at, d.probability::text, c.name, p.name, k.name,
               d.deleted_at
        from deal d join pipeline_stage s on s.id = d.pipeline_stage_id left join company c on c.id = d.company_id
        left join product p on p.id = d.product_id left join campaign k on k.id = d.primary_campaign_id order by 1""",
    )
    opened, closed, quick = at("2021-03-01 10:00"), at("2021-05-01"), at("2021-06-01 18:00")
    assert found == [
        ("Big", "Closed Won", 101, "WON", opened, closed, "1.0000", "Acme", "Plan", "Fair 2021", None),
        ("Gone", "Proposal", 66, "OPEN", at("2021-06-02 18:00"), None, "0.6500", "Acme", None, None, at("2022-01-01")),
        # Its probability cannot be read; the deal and its stage are certain.
        ("Odd", "Proposal", 66, "OPEN", at("2021-06-02 18:00"), None, None, "Acme", None, None, None),
        # Closed on the day on which it was opened: not before it.
        ("Quick", "Closed Lost", 1, "LOST", quick, quick, "0.0000", None, None, None, None),
    ]
    found = await rows(
        database,
        """select v.valid_from, v.outcome, s.name, v.amount::text, m.name from deal_version v
        join pipeline_stage s on s.id = v.pipeline_stage_id join member m on m.id = v.owner_id
        where v.name = 'Big' order by 1""",
    )
    assert found == [
        (opened, "OPEN", "Prospecting", "500.00", "Bob Ray"),
        (at("2021-04-01 09:00"), "OPEN", "Proposal", "1000.00", "Ann Lee"),
        (closed, "WON", "Proposal", "1000.00", "Ann Lee"),
        (at("2021-05-01 12:30"), "WON", "Closed Won", "1000.00", "Ann Lee"),
    ]
    assert await rows(database, "select role, is_primary from deal_contact") == [("Decision Maker", True)]


async def test_an_opportunity_lost_and_opened_again_was_lost_in_between(database: Database, tmp_path: Path) -> None:
    reopened = """2021-04-02 9:00:00,2021-04-20 9:00:00,o1,1000,2021-04-02 00:00:00,true,false,Big,u1,0,Closed Lost
2021-04-20 9:00:00,2021-05-01 12:30:00,o1,1000,2021-06-01 00:00:00,false,false,Big,u1,65,Proposal
"""
    kept = FILES["sf_opportunity_history_data.csv"]
    await run_import(database, "salesforce", put(tmp_path, sf_opportunity_history_data=kept + reopened))
    found = await rows(
        database, "select valid_from, outcome, closed_at from deal_version where name = 'Big' order by 1"
    )
    closed = at("2021-05-01")
    assert found == [
        (at("2021-03-01 10:00"), "OPEN", None),
        (at("2021-04-01 09:00"), "OPEN", None),
        (at("2021-04-02 09:00"), "LOST", at("2021-04-02")),
        (at("2021-04-20 09:00"), "OPEN", None),
        (closed, "WON", closed),
        (at("2021-05-01 12:30"), "WON", closed),
    ]


async def test_tasks_events_and_responses_are_touchpoints(database: Database, tmp_path: Path) -> None:
    await run_import(database, "salesforce", put(tmp_path))
    found = await rows(
        database,
        """select c.email, t.occurred_at, t.kind, t.channel, t.direction, t.outcome, t.duration_seconds, d.name, k.name
        from touchpoint t join contact c on c.id = t.contact_id left join deal d on d.id = t.deal_id
        left join campaign k on k.id = t.campaign_id order by 2""",
    )
    assert found == [
        ("eve@x.com", at("2021-01-11"), "EVENT", None, "INBOUND", None, None, None, "Fair 2021"),
        ("eve@x.com", at("2021-02-04 10:00"), "CALL", "PHONE", "INBOUND", "NO_ANSWER", 90, "Big", None),
        ("eve@x.com", at("2021-02-05"), "MEETING", "MEETING", "OUTBOUND", "NO_SHOW", None, None, None),
        ("kim@y.com", at("2021-02-06 15:00"), "MEETING", "MEETING", "OUTBOUND", "NO_SHOW", 1800, None, None),
    ]
    campaign = "select channel, status, starts_on::text, budget::text from campaign"
    assert await rows(database, campaign) == [("EVENT", "ENDED", "2021-01-10", "5000.00")]


async def test_damaged_rows_are_rejected_and_a_second_run_changes_nothing(database: Database, tmp_path: Path) -> None:
    report = await run_import(database, "salesforce", put(tmp_path), rejects_folder=tmp_path / "rejects")
    assert report.rejects is not None
    with report.rejects.open(newline="") as file:
        rejected = {(row["file"], row["line"], row["column"], row["reason"]) for row in csv.DictReader(file)}
    unknown = "no {} has this key: none in the database, and no accepted row creates one"
    assert rejected == {
        (
            "sf_opportunity_data.csv",
            "5",
            "probability",
            "is 10 by the preset's scale, which is more than 1; only this value was left out",
        ),
        ("sf_opportunity_line_item_data.csv", "4", "opportunity_id", unknown.format("deal")),
        ("sf_product_2_data.csv", "3", "id", "another product has the same name"),
        ("sf_task_data.csv", "6", "who_id", unknown.format("contact")),
    }
    assert (await run_import(database, "salesforce", put(tmp_path), rejects_folder=tmp_path)).is_unchanged


async def test_what_is_only_read_for_deletions_may_be_absent(database: Database, tmp_path: Path) -> None:
    for name in ("sf_account_data.csv", "sf_contact_data.csv", "sf_opportunity_data.csv", "sf_lead_data.csv"):
        header, *lines = csv.reader(FILES[name].splitlines())
        keep = [place for place, column in enumerate(header) if column not in {"_fivetran_synced", "is_deleted"}]
        put(tmp_path)
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([line[place] for place in keep] for line in (header, *lines))
        await run_import(database, "salesforce", tmp_path, dry_run=True, rejects_folder=tmp_path)
    await run_import(database, "salesforce", tmp_path, rejects_folder=tmp_path)
    assert await rows(database, "select count(*) > 0 from contact where deleted_at is null") == [(True,)]


async def test_a_missing_required_file_is_named(database: Database, tmp_path: Path) -> None:
    others = tuple(name for name in FILES if name not in {"sf_account_data.csv", "sf_contact_data.csv"})
    await run_import(database, "salesforce", put(tmp_path, without=others))
    (tmp_path / "sf_contact_data.csv").unlink()
    with pytest.raises(AccordError, match=r"There is no sf_contact_data\.csv"):
        await run_import(database, "salesforce", tmp_path)


async def test_a_merged_lead_is_one_person_with_its_master(database: Database, tmp_path: Path) -> None:
    leads = "".join(
        f"{line},{'master_record_id' if place == 0 else ''}\n"
        for place, line in enumerate(FILES["sf_lead_data.csv"].splitlines())
    )
    leads += "l3,2021-02-03 06:49:18,TRUE,false,,,,Working - Contacted,Kim,Fox,kim@y.com,u2,true,Web,l2\n"
    await run_import(database, "salesforce", put(tmp_path, sf_lead_data=leads))
    found = await rows(
        database,
        """select k.external_id, m.external_id from contact c join external_key k on k.record_id = c.id
        join external_key m on m.record_id = c.merged_into_id where k.external_id like 'l%'""",
    )
    assert found == [("l3", "l2")]


@pytest.mark.parametrize("order", [("x1", "x2"), ("x2", "x1")])
async def test_line_items_of_two_products_leave_the_product_of_the_deal_unknown(
    database: Database, tmp_path: Path, order: tuple[str, ...]
) -> None:
    items = "id,opportunity_id,product_2_id\n" + "".join(f"{key},o1,{key}\n" for key in order)
    products = "id,name,family\nx1,Plan,Usage\nx2,Plan West,Other\n"
    folder = put(tmp_path, sf_opportunity_line_item_data=items, sf_product_2_data=products)
    report = await run_import(database, "salesforce", folder, rejects_folder=tmp_path, accept_loss=True)
    assert {file.name: file.rejected for file in report.files}["sf_opportunity_line_item_data.csv"] == 2
    assert await rows(database, "select product_id from deal where name = 'Big'") == [(None,)]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("New Customer", "NEW"),
        ("Existing Customer - Upgrade", "EXPANSION"),
        ("Existing Business", "EXPANSION"),
        ("Existing Customer - Replacement", "RENEWAL"),
        ("Renewal", "RENEWAL"),
        ("Services", None),
    ],
)
async def test_the_type_of_an_opportunity_is_read(
    database: Database, tmp_path: Path, word: str, kind: str | None
) -> None:
    opportunities = "\n".join(
        f"{line},{'type' if place == 0 else word}"
        for place, line in enumerate(FILES["sf_opportunity_data.csv"].splitlines())
    )
    await run_import(database, "salesforce", put(tmp_path, sf_opportunity_data=opportunities + "\n"))
    assert await rows(database, "select type from deal where name = 'Big'") == [(kind,)]
