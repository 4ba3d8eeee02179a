"""Numbers and names stay as they are, except where a change is meant and said."""

import json

import pytest

from tests import nets

KEPT = json.loads(nets.NUMBERS.read_text("utf-8"))
RENEW = "if it is meant: python -m tests.nets --write"


@pytest.fixture(scope="module")
def found():
    return nets.computed()


@pytest.mark.parametrize("library", ["", "scikit-learn", "numpy"])
def test_every_function_gives_the_numbers_it_gave(library, found):
    if library and nets.version(library) != KEPT[library]:
        pytest.skip(
            f"these numbers were made with {library} {KEPT[library]}, not {nets.version(library)}"
        )
    own = {entry: value for entry, value in found.items() if nets.library(entry) == library}
    assert own.keys() == {entry for entry in KEPT["values"] if nets.library(entry) == library}, (
        RENEW
    )
    least = nets.RELATIVE if nets.version("scipy") == KEPT["scipy"] else nets.OTHER_SCIPY
    found = nets.changes(KEPT["values"], own, least)
    changed = [change for every in found.values() for change in every]
    assert not changed, "\n".join([f'{RENEW} --because "REASON"', *changed[:20]])


def test_a_change_in_the_eleventh_digit_or_in_a_word_is_seen():
    before = {"a: f": {"value": [1.0, 0.123456789012], "word": ["ill"]}, "b: temperature": 1.0}
    after = {
        "a: f": {"value": [1.0, 0.123456789112], "word": ["well"]},
        "b: temperature": 1.0000001,
    }
    assert nets.changes(before, before) == {}
    seen = ["a: f / value [1]: 0.123456789012 -> 0.123456789112", "a: f / word [0]: ill -> well"]
    assert nets.changes(before, after) == {"a: f": seen}


def test_every_move_of_a_number_has_its_reason():
    assert all(
        move["because"] and move["entries"].keys() <= KEPT["values"].keys()
        for move in KEPT["moves"]
    )


def test_every_public_name_is_called_as_it_was():
    kept, now = nets.API.read_text("utf-8").splitlines(), nets.signatures()
    gone, new = ([line for line in a if line not in set(b)] for a, b in ((kept, now), (now, kept)))
    assert kept == now, "\n".join(
        [RENEW, *(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]
    )
