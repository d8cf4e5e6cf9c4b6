"""The reasons why two records are likely the same, strongest first, and how many records may share the evidence."""

from collections.abc import Mapping

from schema.vocab import Vocabulary

MOST_SHARING: Mapping[str, int] = {
    "SAME_EMAIL": 20,
    "SAME_NAME_AND_COMPANY": 20,
    "SAME_NAME_AND_DOMAIN": 20,
    "SAME_PHONE": 5,
    "SAME_DOMAIN": 20,
    "SAME_NAME": 20,
}
"""The most records that may share a value, by reason. A value that more records share, such as the number of a
switchboard, is no evidence. So the number of pairs grows with the records, and not with their square.
"""


def _shared(reason: str) -> str:
    return f"What more than {MOST_SHARING[reason]} records share is no reason."


class DuplicateReason(Vocabulary):
    """Why two contacts are likely the same person. The order is that of strength, the strongest first."""

    SAME_EMAIL = (
        "SAME_EMAIL",
        (
            "The same e-mail address, perhaps in another spelling: case, a tag after `+`, dots at Gmail, and the"
            " several domains of one provider, such as gmail.com and googlemail.com, make no difference. Mailboxes of"
            f" a role, such as info@, are no reason. {_shared('SAME_EMAIL')}"
        ),
    )
    SAME_NAME_AND_COMPANY = (
        "SAME_NAME_AND_COMPANY",
        (
            "The same company, and the same name: at least two words, of which case, accents, blanks and punctuation"
            " make no difference; Müller, Mueller and Muller are one name. It does not matter how the name is divided"
            f" into `firstName` and `lastName`. {_shared('SAME_NAME_AND_COMPANY')}"
        ),
    )
    SAME_NAME_AND_DOMAIN = (
        "SAME_NAME_AND_DOMAIN",
        (
            "The same name, and the same domain: that of the business e-mail address, or that of the company."
            f" {_shared('SAME_NAME_AND_DOMAIN')}"
        ),
    )
    SAME_PHONE = (
        "SAME_PHONE",
        (
            "The same telephone number and extension, perhaps one of them without country or area code: the digits of"
            " one end with those of the other, at least eight. Two international numbers (+) have to be equal."
            f" {_shared('SAME_PHONE')}"
        ),
    )


class CompanyDuplicateReason(Vocabulary):
    """Why two companies are likely the same. The order is that of strength, the strongest first."""

    SAME_DOMAIN = (
        "SAME_DOMAIN",
        f"The same internet domain. Domains of free e-mail providers are no reason. {_shared('SAME_DOMAIN')}",
    )
    SAME_NAME = (
        "SAME_NAME",
        (
            "The same name, of which case, accents, blanks, punctuation and a legal form at the end, such as GmbH or"
            f" Inc., make no difference. {_shared('SAME_NAME')}"
        ),
    )
