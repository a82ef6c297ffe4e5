"""The product speaks of itself alone, and leaves no note to do something later."""

import re

import pytest
from house import ROOT, repository_files, told

_JOINED = {
    "later": ("TO" + "DO", "FIX" + "ME", "X" + "XX"),
    "whole_words": (
        "clau" + "de",
        "anthro" + "pic",
        "sub" + "agent",
        "chat" + "gpt",
        "co" + "pilot",
    ),
    "fragments": ("py" + "pi.org", "files.python" + "hosted.org", "/tmp" + "/plan"),
}

FORBIDDEN = re.compile(
    "|".join(
        [
            rf"\b(?:{'|'.join(_JOINED['later'])})\b",
            rf"(?i:\b(?:{'|'.join(_JOINED['whole_words'])}))",
            "|".join(re.escape(word) for word in _JOINED["fragments"]),
            r"(?<![\w.~)}])/wo" + r"rk/",  # a path of some machine
            r"\.\./sha" + r"red\b",
        ]
    )
)

ALLOWED = {}


def forbidden_words(text):
    """(line, word) of each forbidden word."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in FORBIDDEN.finditer(line):
            yield number, match.group()


def test_no_file_says_what_it_should_not():
    found = []
    for name in repository_files():
        raw = (ROOT / name).read_bytes()
        if b"\0" in raw:
            continue
        found += [
            f"{name}:{line}: {word}"
            for line, word in forbidden_words(raw.decode("utf-8", "replace"))
            if (name, word) not in ALLOWED
        ]
    assert found == [], told(found)


@pytest.mark.parametrize(
    "text",
    [
        "# TO" + "DO: later",
        "x = 1  # X" + "XX",
        "written by Clau" + "de",
        "see /wo" + "rk/shared",
        "from ../sha" + "red/data",
        "https://py" + "pi.org/simple",
    ],
)
def test_a_planted_word_is_found(text):
    assert len(list(forbidden_words(text))) == 1


@pytest.mark.parametrize("text", ["a framework/thing", "TODOS", "$HOME/work/x", "xxx", "shared"])
def test_honest_words_are_not_flagged(text):
    assert list(forbidden_words(text)) == []
