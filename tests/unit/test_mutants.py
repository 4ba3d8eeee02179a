"""Seeded faults: each changes one place of code and no text, and committed tables agree."""

import ast

import pandas as pd
import pytest

from benchmarks import mutants

SOURCE = '''"""1 < 2."""
LIMIT: dict[int, "1"] = 0.5
SOME = ["a"] + ["b"]


def f(x: int = 3, *, axis: "int" = 1) -> "2":
    """3 > 4"""
    if x == 1 and not axis or x > LIMIT:
        raise ValueError(f"é {x + 1}" if x else 7)
    warnings.warn(f"{x} is " + str(9 - 1), stacklevel=2)
    x += 1
    return g.max(x, axis=0) * 2 if (x + 1) <= -4 else [y for y in x if min(y, True)]
'''


def test_every_kind_of_place_is_changed_and_nothing_else():
    source = SOURCE.encode()
    places = mutants.Places("module", source)
    places.visit(ast.parse(source))
    found = [
        (mutant.kind, source[mutant.start : mutant.end].decode(), mutant.after)
        for mutant in places.found
    ]
    condition, last = "x == 1 and not axis or x > LIMIT", "(x + 1) <= -4"
    numbers = [
        ("0.5", "0.55"),
        ("3", "4"),
        ("1", "2"),
        ("1", "2"),
        ("2", "3"),
        ("1", "2"),
        ("2", "3"),
        ("1", "2"),
        ("4", "5"),
    ]
    assert sorted(found) == sorted(
        [
            *(("number", before, after) for before, after in numbers),
            ("comparison", " == ", " != "),
            ("comparison", " > ", " >= "),
            ("comparison", ") <= ", ") < "),
            ("and / or", condition, f"({condition.replace('or', 'and')})"),
            ("and / or", "x == 1 and not axis", "(x == 1 or not axis)"),
            ("negation", condition, f"not ({condition})"),
            ("negation", last, f"not ({last})"),
            ("negation", "min(y, True)", "not (min(y, True))"),
            ("arithmetic", " += ", " -= "),
            ("arithmetic", " * ", " / "),
            ("arithmetic", " + ", " - "),
            ("min / max", "max", "min"),
            ("min / max", "min", "max"),
            ("axis", "0", "1"),
            ("True / False", "True", "False"),
        ]
    )
    for mutant in places.found:
        assert ast.dump(ast.parse(mutants.changed(source, mutant))) != ast.dump(ast.parse(source))


@pytest.mark.slow
def test_the_two_draws_share_no_mutant_and_stay_the_same():
    every = mutants.every_mutant()
    draws, again = mutants.draws(every), mutants.draws(every)
    assert draws == again
    assert [len(draw) for draw in draws.values()] == [200, 200]
    assert not set(draws[1]) & set(draws[2])


def test_the_committed_tables_agree():
    table = pd.read_csv(mutants.TABLE, keep_default_na=False)
    equivalent = pd.read_csv(mutants.EQUIVALENT, keep_default_na=False)
    assert table.groupby("draw").size().to_dict() == {1: 200, 2: 200}
    assert set(table["outcome"]) <= {"caught", "survived", "equivalent"}
    assert (table["by"] != "").tolist() == (table["outcome"] == "caught").tolist()
    left_out = table[table["outcome"] == "equivalent"]
    assert left_out.groupby("draw").size().max() <= 20  # a tenth
    assert (
        set(left_out[["module", "before", "after"]].itertuples(index=False, name=None))
        == mutants.equivalents()
    )
    assert (equivalent["reason"].str.len() > 20).all()
