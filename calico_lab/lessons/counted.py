"""A number with its noun, as English says it."""


def counted(number: int, noun: str) -> str:
    """Return such as ``1 endpoint`` or ``4 endpoints``; for nouns that take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
