"""Host names, origins and proxies in the environment: read into one spelling, or rejected before anything starts."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from api.errors import AccordError, ErrorCode
from api.settings import Settings
from tests.support.commands import run_command


def test_without_variables_only_this_machine_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCORD_ALLOWED_HOSTS", "ACCORD_ALLOWED_ORIGINS", "ACCORD_TRUSTED_PROXIES"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.load()
    assert (settings.allowed_hosts, settings.allowed_origins, settings.trusted_proxies) == ((), (), ())
    assert settings.is_loopback


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_ALLOWED_HOSTS", " Accord.example,www.accord.example , [2001:DB8::1] ")
    monkeypatch.setenv(
        "ACCORD_ALLOWED_ORIGINS",
        "https://App.example, https://app.example:443,http://app.example:8080 https://*.preview.example,"
        "http://[2001:db8::1]:80, https://xn--bcher-kva.example",
    )
    monkeypatch.setenv("ACCORD_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1, ::1")
    settings = Settings.load()
    assert settings.allowed_hosts == ("accord.example", "www.accord.example", "[2001:db8::1]")
    assert settings.allowed_origins == (
        "https://app.example", "https://app.example", "http://app.example:8080", "https://*.preview.example",
        "http://[2001:db8::1]", "https://xn--bcher-kva.example",
    )  # fmt: skip
    assert settings.trusted_proxies == tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.1/32", "::1/128")))


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("ACCORD_METRICS_ADDRESS", "9090", "write it as 127.0.0.1:9090"),
        ("ACCORD_METRICS_ADDRESS", "localhost:99999", "write it as 127.0.0.1:9090"),
        ("ACCORD_METRICS_ADDRESS", "http://a.example:1", "write it as 127.0.0.1:9090"),
        ("ACCORD_ALLOWED_ORIGINS", "*", "would allow every page"),
        ("ACCORD_ALLOWED_ORIGINS", "null", "would allow every page"),
        ("ACCORD_ALLOWED_ORIGINS", "https://*", "is not the whole first label"),
        ("ACCORD_ALLOWED_ORIGINS", "https://*.example", "would allow every name under example"),
        ("ACCORD_ALLOWED_ORIGINS", "https://a.*.example", "is not the whole first label"),
        ("ACCORD_ALLOWED_ORIGINS", "https://pr-*.preview.example", "is not the whole first label"),
        ("ACCORD_ALLOWED_ORIGINS", "https://*.*.preview.example", "is not the whole first label"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example/", "leave out everything after the host and the port"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example?x", "leave out everything after the host and the port"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example#", "leave out everything after the host and the port"),
        ("ACCORD_ALLOWED_ORIGINS", "app.example", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "ftp://app.example", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://u@app.example", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example:x", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example:", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app.example:99999", "is not an origin"),
        ("ACCORD_ALLOWED_ORIGINS", "https://bücher.example", "names of other scripts as xn--"),
        ("ACCORD_ALLOWED_ORIGINS", "https://app..example", "is not an origin"),
        ("ACCORD_ALLOWED_HOSTS", "https://accord.example", "is not a host name"),
        ("ACCORD_ALLOWED_HOSTS", "accord.example:443", "is not a host name"),
        ("ACCORD_ALLOWED_HOSTS", "*", "is not a host name"),
        ("ACCORD_ALLOWED_HOSTS", "*.accord.example", "is not a host name"),
        ("ACCORD_ALLOWED_HOSTS", "-a.example", "is not a host name"),
        ("ACCORD_TRUSTED_PROXIES", "proxy.example", "is not an address or a network"),
        ("ACCORD_TRUSTED_PROXIES", "10.0.0.1/8", "is not an address or a network"),
        ("ACCORD_TRUSTED_PROXIES", "*", "is not an address or a network"),
    ],
)
def test_a_malformed_item_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, f"{'localhost' if 'HOSTS' in variable else ''} {value}")
    with pytest.raises(AccordError) as raised:
        Settings.load()
    assert raised.value.code is ErrorCode.BAD_INPUT
    assert raised.value.message.startswith(f"A setting is not valid: {variable}: '{value}'")
    assert problem in raised.value.message


def test_the_server_does_not_start_with_a_malformed_origin(tmp_path: Path) -> None:
    result = run_command("serve", "--port", "0", data=tmp_path / "data", ACCORD_ALLOWED_ORIGINS="https://app.example/")
    assert result.returncode == 2
    assert "ACCORD_ALLOWED_ORIGINS" in result.stderr
    assert not (tmp_path / "data").exists()
