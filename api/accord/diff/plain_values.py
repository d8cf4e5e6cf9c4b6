"""Sentences for fields of the document that have none of their own, made of the field's name and its value."""

from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel

from schema.durations import format_duration


def words_of(name: str) -> str:
    """Return the name of a field as words."""
    return name.replace("_", " ").strip()


def plain_sentence(title: str, value: object) -> str:
    """Return the sentence of a field, such as `Quiet hours, until: 08:00.`"""
    return f"{title}: {plain_value(value)}."


def plain_value(value: object) -> str:
    """Return a value of the document as words."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return format_duration(value)
        case Enum():
            return str(value.value)
        case Decimal():
            return f"{value:f}"
        case int() | str() | date():
            return str(value)
        case tuple():
            return ", ".join(map(plain_value, value)) or "none"
        case BaseModel():
            given = ((name, getattr(value, name)) for name in type(value).model_fields)
            return " ".join(f"{words_of(name)} {plain_value(item)}" for name, item in given if item not in (None, ()))
        case _:
            raise TypeError(f"{type(value).__name__} has no words")
