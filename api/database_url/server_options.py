"""The parameter `options`: settings that the server is started with, as on its command line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The settings in `options` by their names, and the words that are none, such as a hoster's `endpoint=…`."""

    settings: tuple[tuple[str, str], ...] = ()
    others: str = ""


def parse_options(text: str) -> ServerOptions:
    """Take `-c name=value`, `-cname=value` and `--name=value` from a text with escapes by backslashes."""
    settings, others = [], []
    words = iter(_WORD.findall(text))
    for word in words:
        setting = _setting(word, words)
        if setting is None:
            others.append(word)
            continue
        name, _, value = re.sub(r"\\(.)", r"\1", setting, flags=re.DOTALL).partition("=")
        settings.append((name.replace("-", "_").lower(), value))
    return ServerOptions(tuple(settings), " ".join(others))


def _setting(word: str, following: Iterator[str]) -> str | None:
    if word == "-c":
        return next(following, "")
    if word.startswith(("-c", "--")):
        return word[2:]
    return None
