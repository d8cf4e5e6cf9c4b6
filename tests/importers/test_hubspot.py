"""The hubspot preset, on made-up files of the exporter's shape: history, merges, links from file to file."""

# ruff: noqa: E501 - headers of files are as long as they are
import csv
from pathlib import Path

import pytest

from api.db import Database
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows

FILES = {
    "team_data.csv": "id,name\n7,Marketing EMEA\n8,Field team\n",
    "owner_data.csv": """owner_id,_fivetran_synced,email,first_name,last_name
o1,2023-01-01 00:00:00,ann@acme.com,Ann,Lee
o2,2023-01-01 00:00:00,bob@acme.com,,
""",
    "owner_team_data.csv": "owner_id,team_id,is_team_primary\no1,7,false\no1,8,TRUE\n",
    "company_data.csv": """id,is_deleted,_fivetran_synced,property_name,property_createdate,property_industry,property_domain
c1,FALSE,2023-01-02 00:00:00,Acme,2020-01-01 9:00:00,toys,acme.com
c2,true,2023-01-02 00:00:00,,2020-01-02 9:00:00,,gone.com
""",
    "company_property_history_data.csv": """company_id,timestamp,name,value
c1,2020-01-01 09:00:00,industry,games
c1,2020-06-01 09:00:00,industry,toys
c1,2020-06-01 09:00:00,unheard_of,1
""",
    "contact_data.csv": """id,_fivetran_deleted,_fivetran_synced,property_email,property_firstname,property_lastname,property_createdate,property_associatedcompanyid,property_hs_merged_object_ids,property_hs_lifecyclestage_lead_date
1,FALSE,2023-01-02 00:00:00,eve@x.com,Eve,Hall,2020-01-05 06:49:18,c1,2;3,2020-01-05 6:49:18
2,FALSE,2023-01-02 00:00:00,eve.hall@x.com,Eve,Hall,2020-01-04 06:49:18,c9,,
4,true,2023-01-02 00:00:00,kim@y.com,Kim,,2020-02-05 06:49:18,,,
""",
    "contact_property_history_data.csv": """contact_id,timestamp,source,name,value
1,2020-03-05 06:49:18.125,CRM,jobtitle,Head buyer
1,2020-01-05 06:49:18.000,CRM,jobtitle,Buyer
1,2020-03-01 00:00:00.000,CRM,lifecyclestage,marketingqualifiedlead
1,2020-04-01 00:00:00.000,CRM,lifecyclestage,evangelist
""",
    "contact_merge_audit_data.csv": "contact_id,vid_to_merge,timestamp\n1,9,2020-02-01 00:00:00\n8,7,2020-02-01 00:00:00\n",
    "deal_pipeline_data.csv": "pipeline_id,label\ndefault,Sales\n",
    "deal_pipeline_stage_data.csv": """stage_id,pipeline_id,label,display_order,probability,closed_won,is_closed
s1,default,Appointment,0,0.2,FALSE,FALSE
s2,default,Signed,1,1.0,TRUE,TRUE
s3,default,Gone,2,0.0,FALSE,TRUE
s4,other,Lonely,0,0.0,FALSE,FALSE
""",
    "deal_data.csv": """deal_id,is_deleted,_fivetran_synced,deal_pipeline_stage_id,owner_id,property_dealname,property_amount,property_closedate,property_createdate
d1,false,2023-01-02 00:00:00,s2,o1,Big,1000,2020-05-01 12:00:00,2020-02-01 12:00:00
d2,false,2023-01-02 00:00:00,s1,o9,Open,,2050-01-01 00:00:00,2020-02-02 12:00:00
d3,false,2023-01-02 00:00:00,s3,,Lost,5,,2020-02-03 12:00:00
d4,false,2023-01-02 00:00:00,s1,,Doubled,5,,2020-02-03 12:00:00
""",
    "deal_stage_data.csv": """_fivetran_start,deal_id,_fivetran_active,_fivetran_end,date_entered,value
2020-02-01 12:00:00,d1,FALSE,2020-05-01 12:00:00,2020-02-01 12:00:00,s1
2020-05-01 12:00:00,d1,TRUE,2050-01-01 00:00:00,2020-05-01 12:00:00,s2
""",
    "deal_company_data.csv": "deal_id,company_id,type_id\nd1,c1,5\n",
    "deal_contact_data.csv": "contact_id,deal_id,type_id\n1,d1,3\n5,d1,3\n",
    "merged_deal_data.csv": "deal_id,merged_deal_id,_fivetran_synced\nd1,d4,2020-06-22 11:37:07.210000\n",
    "contact_form_submission_data.csv": """timestamp,form_id,contact_id,conversion_id
2020-01-05 10:20:00,f,1,1
2020-01-06 10:20:00,f,5,1
""",
    "email_campaign_data.csv": "id,name,subject,type\n77,Spring,Hello,BATCH_EMAIL\n",
    "email_event_data.csv": """id,created,email_campaign_id,type,filtered_event,recipient
e1,2020-01-07 10:00:00,77,SENT,,eve@x.com
e2,2020-01-07 11:00:00,77,OPEN,false,eve@x.com
e3,2020-01-07 11:00:01,77,OPEN,true,eve@x.com
e4,2020-01-07 11:00:02,78,CLICK,false,eve@x.com
e5,2020-01-07 11:00:03,77,DELIVERED,,eve@x.com
e6,2020-01-07 11:00:03,77,SENT,,who@x.com
""",
    "engagement_call_data.csv": """engagement_id,property_hs_timestamp,property_hs_call_direction,property_hs_call_duration,property_hs_call_disposition,property_hubspot_owner_id
g1,2020-01-08 10:00:00.526000,INBOUND,61600,f240bbac-87c9-4f6e-bf70-924b57d47db7,o1
""",
    "engagement_meeting_data.csv": "engagement_id,start_time,meeting_outcome\ng2,2020-01-09 10:00:00,NO_SHOW\n",
    "engagement_deal_data.csv": "deal_id,engagement_id\nd1,g1\n",
    "engagement_contact_data.csv": """contact_id,engagement_id,engagement_type
1,g1,CALL
4,g1,CALL
1,g2,MEETING
1,g3,MEETING
1,g4,NOTE
""",
}


def put(folder: Path, *, without: tuple[str, ...] = (), **instead: str) -> Path:
    for name, text in FILES.items():
        if name not in without:
            (folder / name).write_text(instead.get(name.removesuffix(".csv"), text))
    return folder


async def test_people_merge_change_and_are_reported(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot", put(tmp_path))
    found = await rows(
        database,
        """select k.external_id, c.email, c.job_title, o.name, m.email, c.deleted_at
        from contact c join external_key k on k.record_id = c.id and k.entity = 'contact'
        left join company o on o.id = c.company_id left join contact m on m.id = c.merged_into_id order by 1""",
    )
    assert found == [
        ("1", "eve@x.com", "Head buyer", "Acme", None, None),
        ("2", "eve.hall@x.com", None, None, "eve@x.com", None),
        ("3", None, None, None, "eve@x.com", None),
        ("4", "kim@y.com", None, None, None, at("2023-01-02")),
        ("9", None, None, None, "eve@x.com", None),
    ]
    found = await rows(
        database,
        """select v.valid_from, v.valid_to, v.job_title from contact_version v
        join external_key k on k.record_id = v.contact_id and k.external_id = '1' order by 1""",
    )
    promoted = at("2020-03-05 06:49:18.125")
    assert found == [(at("2020-01-05 06:49:18"), promoted, "Buyer"), (promoted, None, "Head buyer")]
    assert await rows(database, "select source_stage, stage, entered_at from reported_stage order by 3") == [
        ("lead", "inquiry", at("2020-01-05 06:49:18")),
        ("marketingqualifiedlead", "mql", at("2020-03-01")),
        ("evangelist", None, at("2020-04-01")),
    ]


async def test_companies_and_their_property_history(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot", put(tmp_path))
    found = await rows(
        database,
        """select c.name, c.deleted_at, v.valid_from, v.valid_to, v.industry from company_version v
        join company c on c.id = v.company_id order by 1, 3""",
    )
    assert found == [
        ("Acme", None, at("2020-01-01 09:00"), at("2020-06-01 09:00"), "games"),
        ("Acme", None, at("2020-06-01 09:00"), None, "toys"),
        ("gone.com", at("2023-01-02"), at("2020-01-02 09:00"), None, None),
    ]
    assert await rows(
        database, "select m.name, t.name, t.kind from member m left join team t on t.id = m.team_id order by 1"
    ) == [("Ann Lee", "Field team", "SALES"), ("bob@acme.com", None, None)]


async def test_rows_that_describe_no_record_are_counted(database: Database, tmp_path: Path) -> None:
    """They are: a property without a field, a mail delivered or opened by a filter, a second team, a note.

    Rows of files that only others look up are not counted.
    """
    report = await run_import(database, "hubspot", put(tmp_path), rejects_folder=tmp_path)
    assert {file.name: file.unused for file in report.files if file.unused} == {
        "owner_team_data.csv": 1,
        "company_property_history_data.csv": 1,
        "email_event_data.csv": 2,
        "engagement_contact_data.csv": 1,
    }


async def test_a_deal_is_decided_by_its_stage_and_has_the_history_of_its_stages(
    database: Database, tmp_path: Path
) -> None:
    report = await run_import(database, "hubspot", put(tmp_path), rejects_folder=tmp_path)
    assert report.rejects is not None
    found = await rows(
        database,
        """select d.name, s.name, d.outcome, d.closed_at, d.close_date::text, m.name, c.name, d.deleted_at
        from deal d left join pipeline_stage s on s.id = d.pipeline_stage_id
        left join member m on m.id = d.owner_id left join company c on c.id = d.company_id order by 1""",
    )
    won = at("2020-05-01 12:00")
    # The lost deal has no day on which it was lost, which the table forbids: its row is rejected.
    assert found == [
        ("Big", "Signed", "WON", won, "2020-05-01", "Ann Lee", "Acme", None),
        ("Doubled", "Appointment", "OPEN", None, None, None, None, at("2020-06-22 11:37:07.21")),
        ("Open", "Appointment", "OPEN", None, None, None, None, None),
    ]
    found = await rows(
        database,
        """select v.valid_from, v.valid_to, s.name, v.outcome, v.closed_at from deal_version v
        join pipeline_stage s on s.id = v.pipeline_stage_id where v.name = 'Big' order by 1""",
    )
    began = at("2020-02-01 12:00")
    assert found == [(began, won, "Appointment", "OPEN", None), (won, None, "Signed", "WON", won)]
    with report.rejects.open(newline="") as file:
        rejected = {(row["file"], row["line"], row["column"], row["reason"]) for row in csv.DictReader(file)}
    unknown = "no {} has this key: none in the database, and no accepted row creates one"
    assert (
        rejected
        == {
            ("contact_merge_audit_data.csv", "3", "contact_id", unknown.format("contact")),
            ("deal_pipeline_stage_data.csv", "5", "pipeline_id", unknown.format("pipeline")),
            ("deal_data.csv", "4", "deal_id", "the deal breaks the rule 'closed when decided'"),
            ("deal_contact_data.csv", "3", "contact_id", unknown.format("contact")),
            ("contact_form_submission_data.csv", "3", "contact_id", unknown.format("contact")),
            (
                "email_event_data.csv",
                "7",
                "recipient",
                "is the property_email of no single row of contact_data.csv with a value in id",
            ),
            (
                "engagement_contact_data.csv",
                "5",
                "start_time, property_hs_meeting_start_time, property_hs_timestamp",
                "gives no value, and a touchpoint needs one",
            ),
        }
        or rejected
    )


async def test_a_deal_in_an_unknown_stage_is_rejected_unless_its_own_columns_decide_it(
    database: Database, tmp_path: Path
) -> None:
    deals = """deal_id,deal_pipeline_stage_id,property_dealname,property_createdate,property_closedate,property_hs_is_closed_won,property_hs_is_closed_lost
d1,s2,Unknown,2020-02-01 12:00:00,2020-05-01 12:00:00,,
d2,s2,Won,2020-02-01 12:00:00,2020-05-01 12:00:00,TRUE,false
d3,s2,Open,2020-02-01 12:00:00,2050-01-01 00:00:00,false,false
d4,,In no stage,2020-02-01 12:00:00,,,
"""
    gone = ("deal_pipeline_stage_data.csv", "deal_stage_data.csv")
    folder = put(tmp_path, without=gone, deal_data=deals)
    report = await run_import(database, "hubspot", folder, accept_loss=True, rejects_folder=tmp_path / "rejected")
    found = await rows(database, "select name, outcome from deal order by 1")
    assert found == [("In no stage", "OPEN"), ("Open", "OPEN"), ("Won", "WON")]
    assert report.rejects is not None
    reason = "no pipeline_stage has this key: none in the database, and no accepted row creates one"
    assert f'deal_data.csv,2,deal_pipeline_stage_id,s2,"{reason}"' in report.rejects.read_text()


@pytest.mark.parametrize(
    "merges",
    [
        "deal_id,merged_deal_id,_fivetran_synced\nd1,d4,2020-06-22T11:37 o'clock\n",
        "deal_id,merged_deal_id,_fivetran_synced\nd1,d4,\n",
        "deal_id,merged_deal_id\nd1,d4\n",
    ],
)
async def test_a_merge_of_deals_is_certain_without_a_date_that_can_be_read(
    database: Database, tmp_path: Path, merges: str
) -> None:
    folder = put(tmp_path, merged_deal_data=merges)
    report = await run_import(database, "hubspot", folder, rejects_folder=tmp_path / "rejected")
    (file,) = [file for file in report.files if file.name == "merged_deal_data.csv"]
    assert (file.rejected, file.left_out) == (0, merges.count("o'clock"))
    merged = (
        "select name, deleted_at between now() - interval '1 hour' and now() from deal where deleted_at is not null"
    )
    assert await rows(database, merged) == [("Doubled", True)]
    assert (await run_import(database, "hubspot", folder, rejects_folder=tmp_path / "rejected")).is_unchanged


async def test_a_merge_of_people_is_certain_without_a_date_that_can_be_read(database: Database, tmp_path: Path) -> None:
    merges = "contact_id,vid_to_merge,timestamp\n1,9,in spring\n"
    folder = put(tmp_path, contact_merge_audit_data=merges)
    report = await run_import(database, "hubspot", folder, rejects_folder=tmp_path / "rejected")
    (file,) = [file for file in report.files if file.name == "contact_merge_audit_data.csv"]
    assert (file.rejected, file.left_out) == (0, 1)
    found = await rows(
        database,
        """select s.email from contact c join contact s on s.id = c.merged_into_id
        join external_key k on k.record_id = c.id and k.entity = 'contact' and k.external_id = '9'""",
    )
    assert found == [("eve@x.com",)]
    assert (await run_import(database, "hubspot", folder, rejects_folder=tmp_path / "rejected")).is_unchanged


async def test_what_is_only_read_for_deletions_may_be_absent(database: Database, tmp_path: Path) -> None:
    companies = """id,is_deleted,property_name,property_createdate
c1,FALSE,Acme,2020-01-01 9:00:00
c2,true,Gone,2020-01-02 9:00:00
"""
    contacts = """id,property_email,property_firstname,property_lastname,property_createdate
1,eve@x.com,Eve,Hall,2020-01-05 06:49:18
2,kim@y.com,Kim,,2020-01-05 06:49:18
"""
    folder = put(tmp_path, contact_data=contacts, company_data=companies)
    await run_import(database, "hubspot", folder, accept_loss=True, rejects_folder=tmp_path / "rejected")
    assert await rows(database, "select count(email) from contact where deleted_at is null") == [(2,)]
    found = await rows(database, "select name, deleted_at is null from company order by 1")
    assert found == [("Acme", True), ("Gone", False)]


async def test_forms_mails_calls_and_meetings_are_touchpoints(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot", put(tmp_path))
    found = await rows(
        database,
        """select c.email, t.occurred_at, t.kind, t.direction, t.outcome, t.duration_seconds, m.name, d.name, p.name
        from touchpoint t join contact c on c.id = t.contact_id left join member m on m.id = t.member_id
        left join deal d on d.id = t.deal_id left join campaign p on p.id = t.campaign_id order by 1, 2""",
    )
    none = (None, None, None, None)
    call = (at("2020-01-08 10:00:00.526"), "CALL", "INBOUND", "CONNECTED", 62, "Ann Lee", "Big", None)
    assert found == [
        ("eve@x.com", at("2020-01-05 10:20"), "FORM", "INBOUND", *none, None),
        ("eve@x.com", at("2020-01-07 10:00"), "EMAIL_SENT", "OUTBOUND", *none, "Spring"),
        ("eve@x.com", at("2020-01-07 11:00"), "EMAIL_OPENED", "INBOUND", *none, "Spring"),
        ("eve@x.com", at("2020-01-07 11:00:02"), "EMAIL_CLICKED", "INBOUND", *none, None),
        ("eve@x.com", *call),
        ("eve@x.com", at("2020-01-09 10:00"), "MEETING", "OUTBOUND", "NO_SHOW", None, None, None, None),
        ("kim@y.com", *call),
    ]


async def test_a_second_run_changes_nothing_and_history_grows(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot", put(tmp_path))
    assert (await run_import(database, "hubspot", put(tmp_path))).is_unchanged
    later = FILES["deal_stage_data.csv"] + "x,d1,TRUE,,2020-07-01 1:02:03,s1\n"
    report = await run_import(database, "hubspot", put(tmp_path, deal_stage_data=later))
    assert (report.records["deal"].changed, report.records["contact"].changed) == (1, 0)
    found = await rows(database, "select outcome, valid_from, valid_to from deal_version where name = 'Big' order by 2")
    assert found == [
        ("OPEN", at("2020-02-01 12:00"), at("2020-05-01 12:00")),
        ("WON", at("2020-05-01 12:00"), at("2020-07-01 01:02:03")),
        ("OPEN", at("2020-07-01 01:02:03"), None),
    ]
    assert await rows(database, "select outcome, closed_at from deal where name = 'Big'") == [("OPEN", None)]
    assert (await run_import(database, "hubspot", put(tmp_path, deal_stage_data=later))).is_unchanged


async def test_the_file_of_contacts_alone_is_enough(database: Database, tmp_path: Path) -> None:
    others = tuple(name for name in FILES if name != "contact_data.csv")
    report = await run_import(database, "hubspot", put(tmp_path, without=others))
    assert [file.name for file in report.files] == ["contact_data.csv"]
    assert await rows(database, "select count(*), count(merged_into_id) from contact") == [(4, 2)]


async def test_an_address_of_two_people_identifies_neither(database: Database, tmp_path: Path) -> None:
    contacts = FILES["contact_data.csv"].replace("kim@y.com", "eve@x.com")
    report = await run_import(database, "hubspot", put(tmp_path, contact_data=contacts), rejects_folder=tmp_path)
    assert {file.name: file.rejected for file in report.files}["email_event_data.csv"] == 4
    assert await rows(database, "select count(*) from touchpoint where kind like 'EMAIL%'") == [(0,)]


async def test_the_type_of_a_deal_and_its_history_are_read(database: Database, tmp_path: Path) -> None:
    deals = """deal_id,deal_pipeline_stage_id,property_dealname,property_createdate,property_dealtype
d1,s1,Big,2020-02-01 12:00:00,existingbusiness
d2,s1,First,2020-02-02 12:00:00,newbusiness
d3,s1,Other,2020-02-03 12:00:00,our own type
"""
    history = """deal_id,name,timestamp,value
d1,dealtype,2020-02-01 12:00:00,newbusiness
d1,dealtype,2020-03-01 12:00:00,existingbusiness
"""
    folder = put(tmp_path, without=("deal_stage_data.csv",), deal_data=deals)
    (folder / "deal_property_history_data.csv").write_text(history)
    await run_import(database, "hubspot", folder, accept_loss=True, rejects_folder=tmp_path / "rejected")
    assert await rows(database, "select name, type from deal order by 1") == [
        ("Big", "EXPANSION"),
        ("First", "NEW"),
        ("Other", None),
    ]
    found = await rows(database, "select valid_from, type from deal_version where name = 'Big' order by 1")
    assert found == [(at("2020-02-01 12:00"), "NEW"), (at("2020-03-01 12:00"), "EXPANSION")]
