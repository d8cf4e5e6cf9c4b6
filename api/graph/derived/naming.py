"""SQL's names as GraphQL writes them."""


def camel(snake: str) -> str:
    """`occurred_at` -> `occurredAt`."""
    first, *rest = snake.split("_")
    return first + "".join(word.capitalize() for word in rest)
