import pytest
from darkroom.cli.plain_text import plain


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x9b31m", r"\x9b31m"),
        ("two\nlines\r", r"two\nlines\r"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("[red]not markup[/red]", "[red]not markup[/red]"),
        ("Zürich 東京 🙂", "Zürich 東京 🙂"),
    ],
)
def test_plain_of_hostile_text_escapes_what_acts_on_a_terminal(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


def test_plain_of_long_text_is_cut() -> None:
    assert plain("x" * 20, longest=5) == "xxxxx…"
