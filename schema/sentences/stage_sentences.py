"""What a stage says beside its entry rule, in plain English: its name, its meaning, its owner, and what it needs."""

from schema.accord import Accord
from schema.clauses.stages import Stage
from schema.sentences.clause_sentences import stage_sentence, window_sentence
from schema.sentences.words import team_name


def stage_sentences(stage: Stage, accord: Accord) -> tuple[str, ...]:
    """Render everything that a stage says: meaning, entry rule, time to the next stage, owner, needs and group."""
    return (
        meaning_sentence(stage),
        stage_sentence(stage, accord),
        window_sentence(stage, accord),
        owner_sentence(stage),
        needs_sentence(stage),
        group_sentence(stage),
    )


def key_sentence(stage: Stage) -> str:
    """Render the key of a stage."""
    return f"Requests and rules name {stage.title} by its key {stage.key}."


def name_sentence(stage: Stage) -> str:
    """Render what a stage is called."""
    return f"The stage with the key {stage.key} is called {stage.title}."


def group_sentence(stage: Stage) -> str:
    """Render the group of a stage."""
    return f"{stage.title} belongs to the group {stage.group}."


def owner_sentence(stage: Stage) -> str:
    """Render which team is responsible for the people in a stage."""
    owner = team_name(stage.owner)
    return f"{owner[0].upper()}{owner[1:]} is responsible for the people in {stage.title}."


def meaning_sentence(stage: Stage) -> str:
    """Render the meaning of a stage."""
    meaning = stage.meaning.rstrip()
    return f"{stage.title} means: {meaning}" + ("" if meaning.endswith((".", "!", "?")) else ".")


def needs_sentence(stage: Stage) -> str:
    """Render which fields have to be filled in."""
    if not stage.needs:
        return f"{stage.title} needs no field filled in."
    *others, last = (_field(need) for need in stage.needs)
    fields = f"{', '.join(others)} and {last}" if others else last
    return f"{stage.title} needs {fields} filled in."


def _field(need: str) -> str:
    table, _, column = need.partition(".")
    words = column.removesuffix("_id").replace("_", " ").replace("email", "e-mail")
    return f"the {words}" if table == "contact" else f"the company's {words}"
