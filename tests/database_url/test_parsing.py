"""A connection URL is read as libpq reads it, and what is not honoured of it is named without its values."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.database_url import DatabaseUrl, Host, parse_database_url, shown_url, with_parameter
from api.database_url.server_options import parse_options
from api.database_url.vocabulary import ENVIRONMENT_VARIABLES, HONOURED, NUMBERS, UNSUPPORTED
from api.errors import AccordError

SECRET = "s3cr3t"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z]{1,5})?", fullmatch=True)
PORTS = st.integers(1, 65_535)


def parsed(url: str, **environment: str) -> DatabaseUrl:
    return parse_database_url(url, environment=environment)


def refusal(url: str, **environment: str) -> AccordError:
    with pytest.raises(AccordError) as refused:
        parsed(url, **environment)
    assert SECRET not in str(refused.value)
    return refused.value


@given(WORDS, WORDS, WORDS, st.lists(st.tuples(NAMES, PORTS), min_size=1, max_size=3), WORDS)
def test_what_is_escaped_is_read_back(
    user: str, password: str, database: str, hosts: list[tuple[str, int]], application: str
) -> None:
    def escaped(text: str) -> str:
        return quote(text, safe="")

    authority = ",".join(f"{name}:{port}" for name, port in hosts)
    url = (
        f"postgres://{escaped(user)}:{escaped(password)}@{authority}/{escaped(database)}"
        f"?application_name={escaped(application)}"
    )
    found = parsed(url)
    assert (found.user, found.password, found.database) == (user, password, database)
    assert found.hosts == tuple(Host(*host) for host in hosts)
    assert found.application_name == application
    of_parameters = parsed(
        f"postgresql://?user={escaped(user)}&password={escaped(password)}&dbname={escaped(database)}"
        f"&host={','.join(name for name, _ in hosts)}&port={','.join(str(port) for _, port in hosts)}"
        f"&application_name={escaped(application)}"
    )
    assert of_parameters == found


@given(WORDS)
def test_no_password_is_shown(password: str) -> None:
    secret = f"#{password}#"
    url = f"postgresql://u:{quote(secret, safe='')}@h/d?sslpassword={quote(secret, safe='')}"
    found = parsed(url)
    assert secret not in repr(found) + str(found) + found.shown + shown_url(url)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(AccordError):
        parsed(f"postgresql://{text}")


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://", (Host("", 5432),)),
        ("postgresql://h1:1,h2/d", (Host("h1", 1), Host("h2", 5432))),
        ("postgresql://h1,h2/d?port=1,2", (Host("h1", 1), Host("h2", 2))),
        ("postgresql:///d?host=h1,h2&port=7", (Host("h1", 7), Host("h2", 7))),
        ("postgresql:///d?host=h1:1,h2:2", (Host("h1", 1), Host("h2", 2))),
        ("postgresql://ignored/d?host=/run/pg", (Host("/run/pg", 5432),)),
        ("postgresql://%2Frun%2Fpg:6/d", (Host("/run/pg", 6),)),
        ("postgresql://[2001:db8::1]:7/d", (Host("2001:db8::1", 7),)),
    ],
)
def test_hosts_are_in_the_authority_or_parameters(url: str, hosts: tuple[Host, ...]) -> None:
    assert parsed(url).hosts == hosts


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"mysql://u:{SECRET}@h/d", "its scheme is 'mysql'"),
        (f"postgresql+asyncpg://u:{SECRET}@h/d", "its scheme is 'postgresql+asyncpg'"),
        (SECRET, "it has no scheme"),
        (f"postgresql://u:@{SECRET}@h/d", "%40"),
        (f"postgresql://u:{SECRET}/@h/d", "host or port is malformed"),
        (f"postgresql://u:{SECRET}%4@h/d", "%25"),
        (f"postgresql://h/d?{SECRET}", "a parameter has no '='"),
        ("postgresql://h:99999/d", "1 to 65535"),
        ("postgresql://h1,h2,h3/d?port=1,2", "3 hosts and 2 ports"),
        ("postgresql:///d?host=@abstract", "abstract namespace"),
        (f"postgresql://h/d?sslmode={SECRET}", "sslmode has to be one of disable, allow"),
        (f"postgresql://h/d?connect_timeout={SECRET}", "connect_timeout has to be a whole number"),
        (f"postgresql://h/d?sslmod={SECRET}", "'sslmod' is not known (perhaps sslmode?)"),
        (f"postgresql://h/d?colour={SECRET}", "'colour' is not known"),
        ("postgresql://h/d?channel_binding=require&sslmode=require", "use sslmode=verify-full"),
        ("postgresql://h/d?sslrootcert=system&sslmode=require", "system needs sslmode=verify-full"),
        ("postgresql://h/d?schema=sales", "options=-c%20search_path%3DNAME"),
        ("postgresql://h/d?require_auth=scram-sha-256", "require_auth cannot be honoured"),
        ("postgresql://h/d?sslkey=k", "sslkey needs sslcert"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(url: str, words: str) -> None:
    assert words in refusal(url).message


def test_all_problems_are_in_one_message() -> None:
    message = refusal("postgresql://h/d?hostaddr=1.1.1.1&gssencmode=require&replication=true").message
    assert all(name in message for name in ("hostaddr", "gssencmode", "replication"))


def test_what_does_no_harm_is_a_warning() -> None:
    found = parsed("postgresql://h/d?connection_limit=1&sslmode=verify-full&channel_binding=require&options=-cjit%3Don")
    assert len(found.warnings) == 3
    assert "set ACCORD_POOL_SIZE" in found.warnings[0]
    assert "left to sslmode=verify-full" in found.warnings[1]
    assert "options has jit" in found.warnings[2]
    assert parsed("postgresql://h/d?channel_binding=prefer&gssencmode=disable&client_encoding=UTF8").warnings == ()


def test_every_parameter_has_one_meaning() -> None:
    assert not set(HONOURED) & set(UNSUPPORTED)
    assert not set(NUMBERS) & {*HONOURED, *UNSUPPORTED}
    assert set(ENVIRONMENT_VARIABLES.values()) <= {*HONOURED, *NUMBERS, *UNSUPPORTED}


def test_times_and_keepalives_are_those_of_the_url() -> None:
    found = parsed("postgresql://h/d?connect_timeout=9&keepalives_idle=3&tcp_user_timeout=0")
    assert found.connect_seconds == 9
    assert found.keepalive is not None
    assert (found.keepalive["keepalives_idle"], found.keepalive["tcp_user_timeout"]) == (3, 0)
    assert parsed("postgresql://h/d?keepalives=0").keepalive is None
    assert (parsed("postgresql://h/d?connect_timeout=1").connect_seconds, parsed("postgresql://h").connect_seconds) == (
        2,  # as libpq
        5,
    )


def test_other_names_of_parameters_are_known() -> None:
    assert parsed("postgresql://h/d?ssl=true").parameters["sslmode"] == "require"
    assert parsed("postgresql://h/d?requiressl=1").parameters["sslmode"] == "require"
    assert parsed("postgresql://h/d?sslrootcert=system").parameters["sslmode"] == "verify-full"
    assert parsed("postgresql://h/d?pgbouncer=true").is_pooled
    assert not parsed("postgresql://h/d").is_pooled


def test_the_url_comes_before_the_service_and_that_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "services"
    file.write_text(
        f"# ours\n[sales]\nhost=db1,db2\nport=6,7\nuser=of-service\npassword=100%{SECRET}\nsslmode=require\n"
    )
    found = parsed("postgresql:///d?service=sales&sslmode=disable", PGSERVICEFILE=str(file), PGUSER="x", PGAPPNAME="me")
    assert found.hosts == (Host("db1", 6), Host("db2", 7))
    assert (found.user, found.password, found.application_name) == ("of-service", f"100%{SECRET}", "me")
    assert found.parameters["sslmode"] == "disable"
    (tmp_path / ".pg_service.conf").write_text("[sales]\nhost=of-home\n")
    assert parsed("postgresql://", PGSERVICE="sales", HOME=str(tmp_path)).hosts == (Host("of-home", 5432),)
    system = tmp_path / "pg_service.conf"
    system.write_text("[all]\nhost=of-machine\n")
    assert parsed("postgresql://?service=all", PGSYSCONFDIR=str(tmp_path)).hosts == (Host("of-machine", 5432),)
    # A host of the URL has the default port, not that of another host.
    assert parsed("postgresql://other?service=sales", PGSERVICEFILE=str(file)).hosts == (Host("other", 5432),)


def test_a_service_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "services"
    file.write_text("[sales]\nhost=db\n")
    assert (
        f"'marketing' is not defined, not in {file}"
        in refusal(
            "postgresql://?service=marketing", PGSERVICEFILE=str(file), PGSYSCONFDIR=str(tmp_path / "none")
        ).message
    )
    assert "does not exist" in refusal("postgresql://?service=a", PGSERVICEFILE=str(tmp_path / "none")).message
    file.write_text(f"[sales]\n{SECRET}\n")
    assert "neither [name] nor name=value" in refusal("postgresql://?service=sales", PGSERVICEFILE=str(file)).message
    file.write_text("[sales]\nsslmod=require\n")
    assert "perhaps sslmode" in refusal("postgresql://?service=sales", PGSERVICEFILE=str(file)).message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("")
    found = parsed(f"postgresql://h/d?sslrootcert={tmp_path}/ca&sslcert={tmp_path}/none&sslkey={tmp_path}/none")
    with pytest.raises(AccordError, match=r"sslcert \(.*none\), sslkey"):
        found.require_files()
    parsed("postgresql://h/d?sslrootcert=system").require_files()


def test_options_have_settings_and_other_words() -> None:
    found = parse_options(r"-c search_path=a,\ b -cjit=off --statement-timeout=5s endpoint=ep-1")
    assert found.settings == (("search_path", "a, b"), ("jit", "off"), ("statement_timeout", "5s"))
    assert found.others == "endpoint=ep-1"


@pytest.mark.parametrize(
    "url", ["postgresql://h/d", "postgresql://h?a=b", "postgresql://", "postgresql://u:p?@h/d?x=y"]
)
def test_a_parameter_is_added(url: str) -> None:
    assert (
        with_parameter(url, "pgbouncer", "true") == f"{url}{'&' if url.endswith(('a=b', 'x=y')) else '?'}pgbouncer=true"
    )


def test_a_url_is_shown_without_what_is_secret() -> None:
    url = f"postgresql://u:{SECRET}@h1,h2:6/d?password={SECRET}"
    assert shown_url(url) == "postgresql://u@h1,h2:6/d"
    assert shown_url("postgresql:///d?host=/run/pg") == "postgresql:///d?host=/run/pg"
    assert shown_url(SECRET) == "an invalid URL"
