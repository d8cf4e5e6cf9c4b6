"""Checks of packages, settings and the network. They need no database."""

from collections.abc import Iterator
from datetime import timedelta

from accord_command import foreign_package
from api.database_url import Host
from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.network_names import is_confidential_url
from api.settings import Settings
from api.settings.groups import processors

_ENCRYPTING = {"require", "verify-ca", "verify-full"}


async def packages(_examined: Examined) -> Diagnosis:
    """Whether Python imports Accord's own packages."""
    problem = foreign_package()
    if problem is None:
        return fine("Accord's packages are its own.")
    return wrong(problem, "Install Accord in an environment of its own, with pipx or uv tool.")


async def settings_fit(examined: Examined) -> Diagnosis:
    """Whether the values of the settings make sense together."""
    problems = list(_contradictions(examined.settings))
    if not problems:
        return fine("The settings make sense together.")
    return warning(" ".join(problems), "Correct these variables: api/deploy/README.md describes them.")


def _contradictions(settings: Settings) -> Iterator[str]:
    if settings.lane_wait_seconds >= settings.request_seconds:
        yield (
            f"ACCORD_LANE_WAIT_SECONDS ({settings.lane_wait_seconds:g}) is not below ACCORD_REQUEST_SECONDS"
            f" ({settings.request_seconds:g}): a request can spend its whole time waiting."
        )
    if timedelta(milliseconds=settings.slow_ms) >= timedelta(seconds=settings.request_seconds):
        yield f"ACCORD_SLOW_MS ({settings.slow_ms:,}) is not below the deadline: no request is logged as slow."
    if settings.session_idle_hours > settings.session_hours:
        yield (
            f"ACCORD_SESSION_IDLE_HOURS ({settings.session_idle_hours:g}) is above ACCORD_SESSION_HOURS"
            f" ({settings.session_hours:g}), which ends sessions first."
        )
    if settings.workers > (cores := processors()):
        yield f"ACCORD_WORKERS is {settings.workers}, and this machine gives Accord {cores} cores."
    metrics = settings.metrics_address
    if metrics is not None and metrics.port and (metrics.host, metrics.port) == (settings.host, settings.port):
        yield "ACCORD_METRICS_ADDRESS is the address of the server itself."


async def network(examined: Examined) -> Diagnosis:
    """Whether somebody on the network can read credentials, cookies or metrics, or use the server without limit."""
    settings = examined.settings
    problems = list(_exposures(settings))
    if problems:
        return warning(
            " ".join(problems), "Put a proxy with TLS in front, use https, and open addresses to those who need them."
        )
    if settings.is_loopback:
        return fine(f"The server listens on {settings.host}, for this machine only.")
    return fine(f"The server listens on {settings.host}, behind a proxy.")


def _exposures(settings: Settings) -> Iterator[str]:
    if not settings.is_loopback and not settings.trusted_proxies:
        yield (
            f"The server listens on {settings.host} and ACCORD_TRUSTED_PROXIES is empty: without TLS, others on the"
            " network can read keys and records, and the cookies of sessions are not Secure."
        )
    plain = [origin for origin in settings.allowed_origins if not is_confidential_url(origin.replace("*.", ""))]
    if plain:
        yield f"ACCORD_ALLOWED_ORIGINS allows pages that are not sent by https: {', '.join(plain)}."
    metrics = settings.metrics_address
    if metrics is not None and not settings.model_copy(update={"host": metrics.host}).is_loopback:
        yield f"Whoever reaches {metrics} may read the metrics (ACCORD_METRICS_ADDRESS)."
    if not settings.is_loopback and settings.rate_limit == 0:
        yield "ACCORD_RATE_LIMIT is 0, so that one client can keep the database busy."


async def database_urls(examined: Examined) -> Diagnosis:
    """Whether all parameters of the URLs of databases are honoured."""
    warnings = examined.settings.require_usable_urls()
    if not warnings:
        return fine("Accord does all that the URLs of databases say.")
    return warning(" ".join(f"{said.rstrip('.')}." for said in warnings), "Remove these parameters from the URLs.")


async def database_encryption(examined: Examined) -> Diagnosis:
    """Whether the ways to external databases are encrypted."""
    urls = examined.settings.database_urls
    if not urls:
        return fine("The private database is reached by a socket of this machine.")
    plain = {
        name: url.parameters.get("sslmode", "prefer")
        for name, url in urls.items()
        if url.parameters.get("sslmode") not in _ENCRYPTING
        and not all(host.is_socket or _is_here(examined.settings, host) for host in url.hosts)
    }
    if not plain:
        return fine("The databases are reached on this machine, or by encrypted connections.")
    return warning(
        " ".join(
            f"{name} leads to another machine with sslmode={mode}, which allows a connection without TLS."
            for name, mode in plain.items()
        ),
        "Add sslmode=require to the URL, or better verify-full.",
    )


def _is_here(settings: Settings, host: Host) -> bool:
    return settings.model_copy(update={"host": host.name or "localhost"}).is_loopback
