"""Classify e-mail addresses: business, free provider, or role mailbox. Computed whenever an address is written."""

import re

from schema.vocab import EmailKind

_ADDRESS = re.compile(r"([^@\s]+)@([^@\s]+\.[^@\s.]+)")

_ROLES = """
abuse accounting accounts admin billing booking bookings careers compliance contact contato customerservice
enquiries enquiry finance hello help helpdesk hostmaster hr info information inquiries inquiry invoice
invoices it jobs kontakt legal mail marketing media newsletter no-reply noreply office orders postmaster pr
press privacy purchasing reception sac sales security service support team vendas vertrieb webmaster welcome
"""
ROLES = frozenset(_ROLES.split())

_FREE_PROVIDERS = """
126.com 163.com aim.com aol.com att.net bigpond.com bluewin.ch bol.com.br btinternet.com comcast.net cox.net
daum.net email.com fastmail.com fastmail.fm free.fr freenet.de gmail.com globo.com googlemail.com hanmail.net
hey.com hushmail.com icloud.com ig.com.br inbox.com laposte.net libero.it live.com mac.com mail.com mail.ru
me.com msn.com naver.com o2.pl onet.pl orange.fr pm.me proton.me protonmail.com qq.com r7.com rediffmail.com
rocketmail.com rogers.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sohu.com t-online.de telenet.be
terra.com.br tiscali.it tuta.io tutanota.com uol.com.br verizon.net virgilio.it wanadoo.fr web.de wp.pl
yeah.net zoho.com
"""
# The last two are for sample data: the domain `.example` is reserved, so no real mailbox is addressed.
FREE_PROVIDERS = frozenset(_FREE_PROVIDERS.split()) | {"freemail.example", "webmail.example"}

# Providers with one name under many country domains: yahoo.co.uk, hotmail.fr, outlook.com.br.
FREE_PROVIDER_FAMILIES = r"(gmx|hotmail|live|outlook|yahoo|yandex|ymail)\.(com|net|org|co|[a-z]{2})(\.[a-z]{2})?"
_FAMILIES = re.compile(FREE_PROVIDER_FAMILIES)

# Domains of one provider, at which an address is the same mailbox under each of them.
ONE_PROVIDER = {
    "googlemail.com": "gmail.com",
    "mac.com": "icloud.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
}
# The characters before the @ that a provider ignores.
IGNORED_MARKS = {"gmail.com": ".", "proton.me": "._-"}


def email_kind(address: str | None) -> EmailKind | None:
    """Return the kind of an address; None if the text is not an address.

    A role mailbox (info@, sales@) is ROLE at any domain. Other addresses are FREE at a public provider, else BUSINESS.
    """
    found = _ADDRESS.fullmatch(address.strip().lower()) if address else None
    if found is None:
        return None
    person, domain = found[1].partition("+")[0], found[2]
    if person in ROLES:
        return EmailKind.ROLE
    if domain in FREE_PROVIDERS or _FAMILIES.fullmatch(domain):
        return EmailKind.FREE
    return EmailKind.BUSINESS
