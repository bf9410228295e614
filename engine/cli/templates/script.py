"""Greets somebody, as often as asked."""


def run(name: str, times: int = 1) -> str:
    """Greets somebody.

    Args:
        name: Who to greet.
        times: How often.
    """
    return " ".join([f"Hello, {name}!"] * times)
