"""Log lines: JSON or plain text, with the ids of their request, and without personal data and secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from api.access.credentials.tokens import make_token
from api.telemetry.log_lines import FIELDS, JsonFormatter, TextFormatter, configure_logging
from api.telemetry.masking import masked, masked_exception, masked_plan
from api.telemetry.request_record import CURRENT, RequestRecord


def record(message: str, *values: object, error: BaseException | None = None, **fields: object) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("accord.web", logging.WARNING, "web.py", 1, message, values, info)
    setattr(made, FIELDS, fields)
    return made


@pytest.fixture
def in_request() -> Iterator[None]:
    token = CURRENT.set(RequestRecord("deploy-7", "POST", "/graphql", "ab" * 16, 0.0))
    yield
    CURRENT.reset(token)


@pytest.mark.usefixtures("in_request")
def test_a_line_of_json_has_the_ids_of_its_request_and_no_unknown_field() -> None:
    text = JsonFormatter().format(record("It took %d ms\nand more", 7, rows=3, cost=None))
    assert "\n" not in text
    line = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "accord.web",
        "message": "It took 7 ms\nand more",
        "request_id": "deploy-7",
        "trace_id": "ab" * 16,
        "rows": 3,
    }


@pytest.mark.usefixtures("in_request")
def test_plain_text_is_one_line_and_a_plan_below_it() -> None:
    first, *below = TextFormatter().format(record("It took\nlong", rows=3, plan="Limit\n  Scan")).splitlines()
    assert first.endswith(f"WARNING accord.web: It took long request_id=deploy-7 trace_id={'ab' * 16} rows=3")
    assert below == ["Limit", "  Scan"]


TOKEN = make_token().text
SECRETS = {
    "the password of a URL": ("postgresql://app:s3cr@t@db.example:5432/crm refused", "s3cr"),
    "the user of a URL": ("https://ghp_abcdef@host.example/x", "ghp_abcdef"),
    "an e-mail address": ("No member has zoë.o'neil+x@büro.example.", "neil"),
    "an API key": (f"The key {TOKEN} is wrong", TOKEN[7:20]),
    "a bearer token": ("Authorization: Bearer abc.def-ghi", "abc.def"),
    "a token of an identity provider": ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature", "eyJ"),
    "a parameter of a URL": ("GET /cb?token=abc123&state=1", "abc123"),
    "the row of an error of PostgreSQL": ("duplicate key\nDETAIL:  Key (name)=(Alice Moore) already exists.", "Alice"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_a_message_has_no(case: str) -> None:
    text, secret = SECRETS[case]
    assert secret not in masked(text)
    assert secret not in TextFormatter().format(record("%s", text))
    assert secret not in JsonFormatter().format(record("%s", text))


@pytest.mark.parametrize("text", ["accord.web says 12 rows at 10:30", "/graphql?operationName=A", "a@b", "5 @ 3.50"])
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text


def test_a_traceback_has_its_frames_and_causes_and_no_value() -> None:
    def fail() -> None:
        try:
            int("Alice Moore")
        except ValueError as error:
            raise KeyError("bob@example.org") from error

    with pytest.raises(KeyError) as found:
        fail()
    caught = found.value
    text = masked_exception(caught)
    assert text.count(", in fail\n") == 2
    assert text.index("ValueError: invalid literal") < text.index("This led to:") < text.index("KeyError: ")
    assert "Alice" not in text.replace('int("Alice Moore")', "")  # a line of the source is no value
    assert "bob@" not in text.replace('KeyError("bob@example.org")', "")
    assert "KeyError: '…'" in JsonFormatter().format(record("Error", error=caught))


def test_exceptions_that_refer_to_each_other_and_groups_end() -> None:
    first, second = ValueError("one"), ValueError("two")
    first.__context__, second.__context__ = second, first
    group = ExceptionGroup("several", [first, RuntimeError("three")])
    assert masked_exception(group).count("RuntimeError: three") == 1


def test_a_plan_has_no_value_of_a_condition() -> None:
    plan = """Index Scan using ix_contact_email on contact c  (cost=0.42..8.44 rows=1 width=16)
  Index Cond: (email = 'alice@example.org'::text)
  Filter: ((amount > 1234.50) AND (city = 'O''Fallon'::text) AND ("order" = 7) AND (id = $1))"""
    assert masked_plan(plan).splitlines() == [
        "Index Scan using ix_contact_email on contact c  (cost=0.42..8.44 rows=1 width=16)",
        "  Index Cond: (email = '…'::text)",
        "  Filter: ((amount > …) AND (city = '…'::text) AND (\"order\" = …) AND (id = $1))",
    ]


@pytest.fixture
def restored_logging() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", "accord", "uvicorn", "uvicorn.error", "uvicorn.access")]
    kept = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, handlers, level, propagates in kept:
        logger.handlers[:], logger.propagate = handlers, propagates
        logger.setLevel(level)


@pytest.mark.usefixtures("restored_logging")
def test_uvicorn_and_libraries_go_through_the_same_handler(capsys: pytest.CaptureFixture[str]) -> None:
    assert sys.stderr is not None
    configure_logging("json", "info")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application for %s", "a@b.example")
    logging.getLogger("httpx").info("HTTP Request: GET https://login.example/?token=abc")
    logging.getLogger("accord.jobs").info("The job did 3")
    logging.getLogger("accord.jobs").debug("not logged")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["logger"] for line in lines] == ["uvicorn.error", "accord.jobs"]
    assert lines[0]["message"] == "Exception in ASGI application for ***"
