"""The words that a misspelt one may have meant."""

from schema.nearest_words import nearest_words, suggestion


def test_the_nearest_words_come_first_and_case_does_not_matter() -> None:
    assert nearest_words("germny", ("France", "GERMANY", "Hungary")) == ("GERMANY",)
    assert nearest_words("x", ("France", "Germany")) == ()


def test_few_words_are_all_listed_and_many_only_if_none_is_near() -> None:
    assert suggestion("emial", ("CHAT", "EMAIL"), "channels") == "Did you mean EMAIL? The channels are CHAT, EMAIL."
    many = [f"word {number}" for number in range(30)]
    assert suggestion("word 29x", many, "words").startswith("Did you mean word 29")
    assert "The words are" not in suggestion("word 29x", many, "words")
    assert suggestion("zzz", many, "words").endswith("word 19 and 10 more.")
    assert suggestion("zzz", (), "words") == "There are no words."
