"""The kind of a mailbox is computed from its address."""

import pytest

from schema.mail_address import email_kind


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("ana@acme.com", "BUSINESS"),
        ("Ana@ACME.com ", "BUSINESS"),
        ("ana@gmail.com", "FREE"),
        ("ana@yahoo.co.uk", "FREE"),
        ("ana@hotmail.fr", "FREE"),
        ("ana@live.acme.com", "BUSINESS"),
        ("ana@yahoo.consulting", "BUSINESS"),
        ("info@acme.com", "ROLE"),
        ("Sales+spring@acme.com", "ROLE"),
        ("info@gmail.com", "ROLE"),
        ("information.desk@acme.com", "BUSINESS"),
        ("acme.com", None),
        ("ana@localhost", None),
        ("ana@b@acme.com", None),
        ("", None),
        (None, None),
    ],
)
def test_the_kind_of_a_mailbox_follows_from_its_address(address: str | None, kind: str | None) -> None:
    assert email_kind(address) == kind
