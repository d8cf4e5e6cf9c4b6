"""SQL expressions that are equal for values in different spellings: of a mailbox, a telephone number, a name.

They are immutable and independent of the database's locale, as a generated column requires: the case of letters is that
of the collation "C" for ASCII, and of an explicit list for others. No expression has a colon before a letter, which
SQLAlchemy would read as a parameter.
"""

import re

from schema.mail_address import IGNORED_MARKS, ONE_PROVIDER

# Capitals of Greek and Cyrillic, which the collation "C" does not know. 03A2 is no letter.
_CAPITALS = "".join(chr(code) for code in (*range(0x0391, 0x03AA), *range(0x0400, 0x0430)) if code != 0x03A2)
# Latin letters that Unicode does not decompose, and the final sigma.
_LETTERS = f"ßØŁĐÆŒøłđæœı\u03c2{_CAPITALS}"
_PLAIN_LETTERS = f"soldaooldaoi\u03c3{_CAPITALS.lower()}"
# An umlaut has two spellings, with and without an e; ss is the other one of ß.
_DIGRAPHS = {"ae": "a", "oe": "o", "ue": "u", "ss": "s"}
_LEGAL_FORMS = """
ab ag aps as asa bv co company corp corporation eirl ev gbr gmbh inc incorporated kft kg kgaa kk limited llc llp ltd
ltda mbh nv ohg oy oyj plc pte pty sa sarl sas se sl spa spol srl sro ug
"""


def mailbox(email: str) -> str:
    """Return the expression of the mailbox that a column with addresses names; null for null.

    A tag after `+` is left out at any provider: it is part of the address, and hardly ever of the mailbox.
    """
    found = f"""regexp_replace(lower(btrim({email}) collate "C"), '^([^@+]+)\\+[^@]*@', '\\1@')"""
    for domain in sorted(set(ONE_PROVIDER.values())):
        others = "|".join(re.escape(other) for other, one in sorted(ONE_PROVIDER.items()) if one == domain)
        found = f"regexp_replace({found}, '@({others})$', '@{domain}')"
    marks = "|".join(f"[{marks}](?=[^@]*@{re.escape(domain)}$)" for domain, marks in sorted(IGNORED_MARKS.items()))
    return f"regexp_replace({found}, '{marks}', '', 'g')"


def domain(email: str) -> str:
    """Return the expression of the domain of an e-mail address; null for null."""
    return f"""split_part(lower(btrim({email}) collate "C"), '@', 2)"""


def end_of_number(phone: str) -> str:
    """Return the expression of the last eight digits of a telephone number, with its extension; null if it has fewer.

    Numbers with and without country or area code have the same end. `is_same_number` compares the rest.
    """
    return f"substring(regexp_replace({phone}, '[^0-9x]', '', 'g') from '([0-9]{{8}}(x[0-9]+)?)$')"


def is_same_number(one: str, other: str) -> str:
    """Return the condition that two telephone numbers with the same end are the same, given both expressions."""
    digits, others = (
        f"ltrim(regexp_replace(split_part({number}, 'x', 1), '[^0-9]', '', 'g'), '0')" for number in (one, other)
    )
    return (
        f"case when {one} like '+%' and {other} like '+%' then {digits} = {others}"
        f" else right({digits}, length({others})) = {others} or right({others}, length({digits})) = {digits} end"
    )


def person_name(first_name: str, last_name: str) -> str:
    """Return the expression of the letters of a person's name; null for a name of fewer than two words."""
    name = f"btrim(coalesce({first_name}, '') || ' ' || coalesce({last_name}, ''))"
    return f"case when {name} like '% %' then {_letters(_small(name))} end"


def company_name(name: str) -> str:
    """Return the expression of the letters of a company's name without its legal form; null if it has no others."""
    forms = "|".join(sorted(_LEGAL_FORMS.split()))
    # Without dots first: S.A. and SA are one form.
    plain = f"replace({_small(name)}, '.', '')"
    return _letters(f"regexp_replace({plain}, '([ ,&+]+(sp z oo|{forms}))+ *$', '')")


def _small(text: str) -> str:
    """The text in small letters, of which accents are characters of their own."""
    return f"""lower(translate(normalize({text}, nfkd), '{_LETTERS}', '{_PLAIN_LETTERS}') collate "C")"""


def _letters(small: str) -> str:
    """The letters and digits of a text in small letters; null if there are none."""
    found = f"regexp_replace({small}, '[[:punct:][:space:]\\u0300-\\u036f\\u2018\\u2019]', '', 'g')"
    for digraph, letter in _DIGRAPHS.items():
        found = f"replace({found}, '{digraph}', '{letter}')"
    return f"nullif({found}, '')"
