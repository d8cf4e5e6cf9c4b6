"""GraphQL names of SQL identifiers."""


def camel(snake: str) -> str:
    """Convert `occurred_at` to `occurredAt`."""
    first, *rest = snake.split("_")
    return first + "".join(word.capitalize() for word in rest)
