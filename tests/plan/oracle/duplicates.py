"""Likely duplicates in plain Python: every pair of people is compared, and every reason stated in words of its own."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from schema.duplicates.reasons import MOST_SHARING

Person = dict[str, Any]
Evidence = tuple[str, str]  # value and place
REASONS = ("SAME_EMAIL", "SAME_NAME_AND_COMPANY", "SAME_NAME_AND_DOMAIN", "SAME_PHONE")
OTHER_DOMAINS = {"googlemail.com": "gmail.com", "me.com": "icloud.com", "pm.me": "proton.me"}


def likely_duplicates(people: Sequence[Person]) -> list[tuple[Any, Any, list[str]]]:
    """Return the pairs of people with their reasons, in the order of the list.

    Shapes: people in reach with `domain`, the domain of a company in reach, and `company_id`, null for one out of reach
    -> (id of the one created first, id of the other, reasons).
    """
    sharing = {reason: Counter(found for person in people for found in evidence(person, reason)) for reason in REASONS}
    found = []
    for pair in combinations(sorted(people, key=lambda person: person["id"]), 2):
        one, other = pair
        shared = {reason: sorted(rare(pair, reason, sharing[reason])) for reason in REASONS}
        reasons = [reason for reason in REASONS if shared[reason]]
        if reasons:
            position = (REASONS.index(reasons[0]), *shared[reasons[0]][0], one["id"], other["id"])
            found.append((position, (one["id"], other["id"], reasons)))
    return [pair for _, pair in sorted(found, key=lambda each: each[0])]


def rare(pair: tuple[Person, Person], reason: str, sharing: Counter[Evidence]) -> Iterator[Evidence]:
    one, other = pair
    for found in evidence(one, reason) & evidence(other, reason):
        if sharing[found] <= MOST_SHARING[reason] and (reason != "SAME_PHONE" or same_number(one, other)):
            yield found


def evidence(person: Person, reason: str) -> set[Evidence]:
    name, mail = letters(person), mailbox(person)
    if reason == "SAME_EMAIL":
        return {(mail, "")} if mail else set()
    if reason == "SAME_PHONE":
        return {(end, "")} if (end := end_of_number(person)) else set()
    if not name:
        return set()
    if reason == "SAME_NAME_AND_COMPANY":
        return {(name, str(person["company_id"]))} if person["company_id"] else set()
    own = mail.split("@")[1] if mail and person["email_kind"] == "BUSINESS" else None
    return {(name, domain) for domain in (own, person["domain"]) if domain}


def mailbox(person: Person) -> str | None:
    if person["email"] is None or person["email_kind"] in (None, "ROLE"):
        return None
    user, domain = person["email"].strip().lower().split("@")
    user, domain = user.split("+")[0], OTHER_DOMAINS.get(domain, domain)
    if domain == "gmail.com":
        user = user.replace(".", "")
    if domain == "proton.me":
        user = re.sub("[._-]", "", user)
    return f"{user}@{domain}"


def letters(person: Person) -> str | None:
    name = f"{person['first_name'] or ''} {person['last_name'] or ''}".strip()
    if len(name.split()) < 2:
        return None
    plain = "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if char.isalnum())
    for umlaut, letter in (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ss", "s"), ("ø", "o"), ("ł", "l")):
        plain = plain.replace(umlaut, letter)
    return plain or None


def number(person: Person) -> tuple[str, str]:
    """Return the digits of a number, and those of its extension."""
    digits, _, extension = re.sub("[^0-9x]", "", person["phone"] or "").partition("x")
    return digits, extension


def end_of_number(person: Person) -> str | None:
    digits, extension = number(person)
    return digits[-8:] + (f"x{extension}" if extension else "") if len(digits) >= 8 else None


def same_number(one: Person, other: Person) -> bool:
    short, long = sorted((number(person)[0].lstrip("0") for person in (one, other)), key=len)
    if all(person["phone"].startswith("+") for person in (one, other)):
        return short == long
    return long.endswith(short)
