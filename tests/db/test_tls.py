"""Encrypted connections, to Debian's PostgreSQL with certificates that the tests make."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.db import connect
from api.db.connections import SERVER_SETTINGS
from tests.support.commands import run_command

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
KEY_PASSWORD = "s3cr3t"

pytestmark = pytest.mark.skipif(
    not PROGRAMS.exists() or os.geteuid() != 0, reason="needs Debian's PostgreSQL 15, and root"
)


@dataclass(frozen=True)
class Authority:
    """A certificate authority with a folder of what it has signed."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path, name: str) -> "Authority":
        made = cls(folder, name, ec.generate_private_key(ec.SECP256R1()))
        made.sign(name, made.key, is_authority=True)
        return made

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.crt"

    def issue(self, name: str, *, password: str | None = None) -> None:
        """Write `name.crt` and `name.key`."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.sign(name, key)
        encryption = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        form = serialization.PrivateFormat.PKCS8
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
        (self.folder / f"{name}.key").chmod(0o600)

    def sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool = False) -> None:
        """Write a certificate for a key; a server's is good for `localhost`."""
        now = datetime.now(UTC)

        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        signed = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=is_authority,
                    crl_sign=is_authority,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(self.key, hashes.SHA256())
        )
        (self.folder / f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))


@dataclass(frozen=True)
class TlsServer:
    """A PostgreSQL that is reached by TLS only: at `localhost`, or by an address that its certificate does not name."""

    folder: Path
    port: int

    def url(self, *parameters: str, user: str = "postgres", host: str = "localhost") -> str:
        return f"postgresql://{user}@{host}:{self.port}/postgres?{'&'.join(parameters)}"

    @property
    def authority(self) -> str:
        return f"sslrootcert={self.folder}/authority.crt"


@pytest.fixture(scope="module")
def tls() -> Iterator[TlsServer]:
    folder = Path(tempfile.mkdtemp(prefix="accord-tls-"))
    authority = Authority.make(folder, "authority")
    Authority.make(folder, "stranger")
    authority.issue("server")
    authority.issue("guest")
    authority.issue("locked", password=KEY_PASSWORD)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, "postgres", "postgres")

    def run(program: str, *words: str) -> None:
        command = [str(PROGRAMS / program), "-D", "pg", *words]
        subprocess.run(command, user="postgres", group="postgres", cwd=folder, check=True, capture_output=True)

    run("initdb", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
    (folder / "pg" / "pg_hba.conf").write_text(
        "local all all trust\nhostssl all guest,locked all cert\nhostssl all all all trust\n"
    )
    files = f"-c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key"
    files += f" -c ssl_ca_file={folder}/authority.crt"
    options = f"-c listen_addresses=localhost -c port={port} -c unix_socket_directories={folder} -c ssl=on {files}"
    run("pg_ctl", "-w", "-l", "log", "-o", f"{options} -c fsync=off", "start")
    for role in ("guest", "locked"):
        create = [str(PROGRAMS / "psql"), "-h", str(folder), "-p", str(port), "-c", f"create role {role} login"]
        subprocess.run(create, user="postgres", cwd=folder, check=True, capture_output=True)
    yield TlsServer(folder, port)
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


async def user_by_tls(url: str) -> str:
    connection = await connect(url, SERVER_SETTINGS)
    try:
        found: str = await connection.fetchval(
            "select current_user from pg_stat_ssl where pid = pg_backend_pid() and ssl"
        )
    finally:
        await connection.close()
    return found


async def test_the_server_is_verified_as_sslmode_says(tls: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    address = str(ip_address("127.0.0.1"))
    for url in (
        tls.url(),
        tls.url("sslmode=require"),
        tls.url("ssl=true"),
        tls.url("sslmode=verify-full", tls.authority),
        tls.url("sslmode=verify-ca", tls.authority, host=address),
        tls.url("sslmode=verify-full", tls.authority, "channel_binding=require"),
        tls.url("sslmode=verify-full", tls.authority, "ssl_min_protocol_version=TLSv1.3"),
    ):
        assert await user_by_tls(url) == "postgres", url
    for url in (
        tls.url("sslmode=verify-full", f"sslrootcert={tls.folder}/stranger.crt"),
        tls.url("sslmode=verify-full", tls.authority, host=address),
        tls.url("sslrootcert=system"),
    ):
        with pytest.raises(OSError, match="certificate verify failed"):
            await user_by_tls(url)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await user_by_tls(tls.url("sslmode=disable"))
    monkeypatch.setenv("SSL_CERT_FILE", f"{tls.folder}/authority.crt")
    assert await user_by_tls(tls.url("sslrootcert=system")) == "postgres"


async def test_a_client_proves_itself_by_a_certificate(tls: TlsServer) -> None:
    def by(name: str) -> tuple[str, ...]:
        return (
            "sslmode=verify-full",
            tls.authority,
            f"sslcert={tls.folder}/{name}.crt",
            f"sslkey={tls.folder}/{name}.key",
        )

    assert await user_by_tls(tls.url(*by("guest"), user="guest")) == "guest"
    password = f"sslpassword={KEY_PASSWORD}"
    assert await user_by_tls(tls.url(*by("locked"), password, user="locked")) == "locked"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await user_by_tls(tls.url("sslmode=verify-full", tls.authority, user="guest"))


@pytest.mark.parametrize("given", ["", "keepalives_idle=77&keepalives_count=4&tcp_user_timeout=9000", "keepalives=0"])
async def test_keepalives_are_those_of_the_url(tls: TlsServer, given: str) -> None:
    connection = await connect(tls.url(*filter(None, [given])), SERVER_SETTINGS)
    found: socket.socket = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    is_kept = found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    names = ("TCP_KEEPIDLE", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    values = tuple(found.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names)
    await connection.close()
    if given == "keepalives=0":
        assert is_kept == 0
        return
    assert (is_kept, values) == (1, (77, 4, 9000) if given else (10, 3, 25_000))


def test_a_backup_is_taken_by_tls(tls: TlsServer, tmp_path: Path) -> None:
    """pg_dump has to use the same certificates: the database lets nobody in without TLS."""
    url = tls.url("sslmode=verify-full", tls.authority).replace("//postgres@", "//postgres@127.0.0.1:1,")
    for words in (("migrate",), ("backup", str(tmp_path / "backup"))):
        done = run_command(*words, data=tmp_path, DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    locked = f"&sslpassword={KEY_PASSWORD}"
    refused = run_command("backup", str(tmp_path / "other"), data=tmp_path, DATABASE_URL=url + locked)
    assert (refused.returncode, "sslpassword" in refused.stderr, KEY_PASSWORD in refused.stderr) == (2, True, False)


def test_a_missing_certificate_is_named_at_the_start(tls: TlsServer, tmp_path: Path) -> None:
    url = tls.url("sslmode=verify-full", f"sslrootcert={tls.folder}/none.crt")
    done = run_command("migrate", data=tmp_path, DATABASE_URL=url)
    assert (done.returncode, "sslrootcert (" in done.stderr) == (2, True), done.stderr
