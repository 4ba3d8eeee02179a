import hashlib
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn

from cxr_helpers import phantom, split
from tools.rules import splits


def manifest(n_groups=60, seed=0):
    """Groups of one to four images, three classes of unequal size."""
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(n_groups):
        label = ("normal", "covid", "viral")[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
        for image in range(rng.integers(1, 5)):
            rows.append(
                {"image_id": f"g{group:03d}/{image}.png", "label": label, "group": f"g{group:03d}"}
            )
    table = pd.DataFrame(rows)
    table["label"] = pd.Categorical(table["label"], categories=["normal", "covid", "viral"])
    return table.assign(patient=table["group"], sha256=table["image_id"], split=pd.NA, fold=pd.NA)


def test_holdout_keeps_groups_whole_and_shares_near_what_was_asked():
    table = split.holdout(manifest(), test=0.2, val=0.2)
    split.assert_disjoint(table)
    shares = table["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.05)
    assert shares["val"] == pytest.approx(0.2, abs=0.05)


def test_holdout_is_stratified():
    table = split.holdout(manifest(200), test=0.25, val=0)
    overall = table["label"].value_counts(normalize=True)
    test = table.loc[table["split"] == "test", "label"].value_counts(normalize=True)
    assert (overall - test).abs().max() < 0.06
    assert not (table["split"] == "val").any()


@pytest.mark.parametrize("make", [split.holdout, split.folds])
def test_same_seed_same_split_whatever_the_row_order(make):
    table = manifest()
    column = "fold" if make is split.folds else "split"
    first = make(table, seed=3).set_index("image_id")[column]
    shuffled = make(table.sample(frac=1, random_state=1), seed=3).set_index("image_id")[column]
    assert first.astype(str).to_dict() == shuffled.astype(str).to_dict()
    other = make(table, seed=4).set_index("image_id")[column]
    assert first.astype(str).to_dict() != other.astype(str).to_dict()


def test_folds_cover_every_image_once():
    table = split.folds(manifest(), k=4)
    assert sorted(table["fold"].unique()) == [0, 1, 2, 3]
    split.assert_disjoint(table, column="fold")
    assert table.groupby("fold")["label"].nunique().eq(3).all()


@pytest.mark.parametrize("column", ["split", "fold", "part"])
def test_a_table_that_was_never_split_is_not_called_disjoint(column):
    with pytest.raises(ValueError, match=f"No row has a {column}"):
        split.assert_disjoint(manifest(), column=column)


def test_assert_disjoint_names_the_offenders():
    table = manifest().assign(split="train")
    table.loc[table["group"] == "g007", "split"] = "test"
    table.loc[table.index[table["group"] == "g007"][0], "split"] = "train"
    if (table["group"] == "g007").sum() == 1:
        pytest.fail("the drawn group has one image; choose another")
    with pytest.raises(
        split.LeakError, match=r"group g007: g007/0.png \(train\), g007/1.png \(test\)"
    ):
        split.assert_disjoint(table)


def test_identical_files_on_both_sides_are_a_leak_even_without_groups():
    table = split.holdout(manifest())
    train, test = (table.index[table["split"] == part][0] for part in ("train", "test"))
    table.loc[test, "sha256"] = table.loc[train, "sha256"]
    with pytest.raises(split.LeakError, match="sha256"):
        split.assert_disjoint(table, by=("sha256",))


def test_unknown_patients_are_not_one_patient():
    table = split.holdout(manifest()).assign(patient=pd.NA)
    split.assert_disjoint(table)


def test_what_cannot_be_split_is_said():
    with pytest.raises(ValueError, match="add_groups"):
        split.folds(manifest().assign(group=pd.NA))
    with pytest.raises(ValueError, match=r"without a label.*g000/0.png"):
        split.folds(
            manifest().assign(label=pd.Categorical([None] * len(manifest()), categories=["normal"]))
        )
    with pytest.raises(ValueError, match="only 2 group"):
        split.folds(manifest(2).assign(label="normal"), k=5)
    with pytest.raises(ValueError, match="shares"):
        split.holdout(manifest(), test=0.6, val=0.4)
    for k in (1, 0, -2):
        with pytest.raises(ValueError, match=f"k={k} is no number of folds: k >= 2"):
            split.folds(manifest(), k=k)


def even(groups, labels=("normal", "covid")):
    rows = [(f"{label}{g}.png", label, f"{label}{g}") for label in labels for g in range(groups)]
    return pd.DataFrame(rows, columns=["image_id", "label", "group"])


def test_a_share_that_would_take_every_group_of_a_class_is_named():
    with pytest.raises(
        ValueError, match=r"val=0\.45 would take all of the 4 group.*class 'covid'.*smaller share"
    ):
        split.holdout(even(8), test=0.5, val=0.45)
    rarer = pd.concat([even(40, ["normal"]), even(4, ["covid"])], ignore_index=True)
    with pytest.raises(ValueError, match=r"test=0\.9 would take all of the 4 group.*class 'covid'"):
        split.holdout(rarer, test=0.9, val=0)
    # three quarters of 44
    assert (split.holdout(rarer, test=0.85, val=0)["split"] == "test").sum() == 33


@pytest.mark.parametrize(
    ("groups", "share", "taken"), [(4, 0.05, 1), (4, 0.3, 1 + 1 / 3), (20, 0.05, 1), (40, 0.17, 7)]
)
def test_a_share_becomes_a_fraction_of_at_most_as_many_parts_as_groups(groups, share, taken):
    found = (split.holdout(even(groups), test=share, val=0)["split"] == "test").sum() / 2
    assert found == pytest.approx(taken, abs=0.7)


# Pinned: what seed gives which split must not depend on versions of libraries.
# `tools/rules/splits.py` compares whole environments; here stand the assignments themselves, a
# digit (the fold) or a letter (rain, tst, val) for each group.
SIZES = {
    "a": [1, 3, 2, 1, 4, 1, 2, 1, 1, 2],
    "b": [2, 1, 3, 1, 1, 2, 1, 5],
    "c": [1, 2, 1, 3, 1, 1],
}


def small(mixed=False):
    groups = [(label, size) for label, sizes in SIZES.items() for size in sizes]
    rows = [
        (f"g{g:02d}/{i}.png", label, f"g{g:02d}")
        for g, (label, size) in enumerate(groups)
        for i in range(size)
    ]
    table = pd.DataFrame(rows, columns=["image_id", "label", "group"])
    if mixed:  # groups of several classes
        table.loc[[1, 8, 20, 33], "label"] = ["b", "c", "a", "b"]
    return table


@pytest.mark.parametrize(
    ("k", "seed", "mixed", "expected", "counts"),
    [
        (2, 0, False, "101010011011101010101100", [21, 22]),
        (3, 0, False, "120211000221121210110200", [14, 15, 14]),
        (3, 1, False, "020112001222111220101201", [14, 14, 15]),
        (5, 0, False, "224410334021421330214320", [9, 8, 9, 9, 8]),
        (5, 7, False, "023214043421411320212340", [9, 9, 9, 8, 8]),
        (3, 0, True, "211122001012222100002120", [15, 14, 14]),
        (4, 5, True, "011232230032231120320130", [11, 11, 11, 10]),
    ],
)
def test_a_seed_gives_these_folds(k, seed, mixed, expected, counts):
    table = split.folds(small(mixed), k=k, seed=seed)
    assert "".join(map(str, table.groupby("group")["fold"].first())) == expected
    assert table["fold"].value_counts().sort_index().tolist() == counts


@pytest.mark.parametrize(
    ("test", "val", "seed", "expected", "counts"),
    [
        (0.2, 0.2, 0, "rrrraerrrearrarrrearrrae", [25, 9, 9]),
        (0.25, 0, 3, "rrerrrrrrerrrrrrrerrerre", [32, 0, 11]),
        (0, 0.3, 0, "ararrraarrrrrrrrrararrar", [29, 14, 0]),
    ],
)
def test_a_seed_gives_these_parts(test, val, seed, expected, counts):
    table = split.holdout(small(), test=test, val=val, seed=seed)
    assert "".join(part[1] for part in table.groupby("group")["split"].first()) == expected
    assert table["split"].value_counts()[list(split.SPLITS)].tolist() == counts


def test_the_default_phantoms_come_out_even():
    table = phantom.design("default").assign(group=lambda t: t["patient"])
    assert (
        pd.crosstab(split.folds(table)["fold"], table["label"]).to_numpy().tolist()
        == [[40, 40, 40]] * 5
    )
    parts = pd.crosstab(split.holdout(table, test=0.2, val=0.2)["split"], table["label"])
    assert parts.loc[["val", "test"]].to_numpy().tolist() == [[40, 40, 40]] * 2


def test_the_columns_that_environments_are_compared_by_are_these():
    """96 columns of 24 tables: `python -m tools.rules.splits` gets them with each scikit-learn."""
    columns = splits.columns()
    assert columns.count("\n") == 96
    assert hashlib.sha256(columns.encode()).hexdigest() == (
        "881bbdc49ffe5f97565ece7e3bb68bf3e5766e85313d74b204b6e45b20d375e6"
    )


def test_no_other_splitter_is_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    split.folds(small(), k=3)


@pytest.mark.parametrize("seed", range(12))
def test_folds_are_those_of_scikit_learn(seed):
    model_selection = pytest.importorskip("sklearn.model_selection")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        pytest.skip("before 1.8 StratifiedGroupKFold(shuffle=True) lost the classes")
    rng = np.random.default_rng(seed)
    table = manifest(40 + 10 * seed, seed)
    if seed % 2:
        table = table.assign(
            label=np.where(rng.random(len(table)) < 0.2, "viral", table["label"].astype(object))
        )
    k = 2 + seed % 6
    label, group = table["label"].to_numpy(str), table["group"].to_numpy(str)
    splitter = model_selection.StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    theirs = {
        row: number
        for number, (_, held_out) in enumerate(splitter.split(label, label, group))
        for row in held_out
    }
    assert split.folds(table, k=k, seed=seed)["fold"].to_dict() == theirs


def with_huge(n, label="a"):
    return pd.concat(
        [
            small(),
            pd.DataFrame({"image_id": [f"h{i}" for i in range(n)], "label": label, "group": "H"}),
        ]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: split.holdout(with_huge(60), 0.2, 0),
            r"test was to hold 20% and holds 77% of .*'H', has 60 of",
        ),
        (
            lambda: split.holdout(with_huge(60), 0, 0.1),
            r"val was to hold 10% and holds .*'H', has 60 of",
        ),
        (
            lambda: split.folds(with_huge(60), 5),
            r"fold \d was to hold 20% and holds .*'H', has 60 of",
        ),
        (
            lambda: split.holdout(with_huge(20, "c"), 0.2, 0),
            r"of class 'c': .* of 7 the largest, 'H', has 20 of 29",
        ),
        (lambda: split.holdout(even(4), 0.05, 0), None),
        (lambda: split.holdout(small(), 0.25, 0), None),
        (lambda: split.folds(small(), 5), None),
        (lambda: split.holdout(even(40), 0.8, 0.1), None),
    ],
)
def test_a_share_far_from_what_was_asked_is_said_once(make, message):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        make()
    assert len(said) == (message is not None)
    if message:
        assert re.search(message, str(said[0].message))
        # where it was asked for
        assert (said[0].filename, said[0].lineno) == (__file__, make.__code__.co_firstlineno)


# --- at the limits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "val"),
    [(-0.01, 0.2), (0.2, -0.01), (1, 0), (0, 1), (1.2, 0), (0, 1.2), (0.5, 0.5), (0.6, 0.5)],
)
def test_shares_that_leave_nothing_or_are_none_are_refused(test, val):
    with pytest.raises(ValueError, match=f"test={test} and val={val} must be shares"):
        split.holdout(even(20), test=test, val=val)


@pytest.mark.parametrize(
    ("groups", "test", "val", "sizes"),
    [
        (40, 0, 0, [80, 0, 0]),
        (40, 0.25, 0.25, [40, 20, 20]),  # a quarter, then a third of the rest
        (40, 0.5, 0.25, [20, 20, 40]),
        (40, 0.01, 0, [76, 0, 4]),  # never nothing: a twentieth at least
        (40, 0.05, 0, [76, 0, 4]),
        (40, 0.15, 0, [68, 0, 12]),
        (40, 0.95, 0, [4, 0, 76]),
        (4, 0.1, 0, [6, 0, 2]),
        (4, 0.75, 0, [2, 0, 6]),
        (2, 0.5, 0, [2, 0, 2]),
    ],
)
def test_parts_have_exactly_these_sizes_where_groups_allow(groups, test, val, sizes):
    found = split.holdout(even(groups), test=test, val=val)
    assert found["split"].value_counts()[["train", "val", "test"]].tolist() == sizes


def test_a_class_needs_as_many_groups_as_there_are_parts():
    assert split.folds(even(5), k=5)["fold"].value_counts().tolist() == [2] * 5
    assert split.folds(even(2), k=2)["fold"].value_counts().tolist() == [2] * 2
    with pytest.raises(ValueError, match=r"has only 4 group\(s\) of images, too few for 5 parts"):
        split.folds(even(4), k=5)
    with pytest.raises(ValueError, match=r"has only 1 group\(s\) of images, too few for 2 parts"):
        split.folds(even(1), k=1)
    with pytest.raises(ValueError, match=r"has only 1 group\(s\) of images, too few for"):
        split.holdout(even(1), test=0.5, val=0)
    rarer = pd.concat([even(9, ["normal"]), even(3, ["covid"])], ignore_index=True)
    with pytest.raises(ValueError, match=r"class 'covid' has only 3 group"):
        split.folds(rarer, k=4)


def test_the_smallest_class_is_one_of_those_that_have_a_row():
    table = small()
    assert split._smallest_class(table).to_dict() == {"c": 6}
    table["label"] = pd.Categorical(table["label"], categories=["a", "b", "c", "none"])
    assert split._smallest_class(table).to_dict() == {"c": 6}
    assert split.folds(table, k=3)["fold"].tolist() == split.folds(small(), k=3)["fold"].tolist()


def test_one_image_without_group_or_label_is_enough_to_refuse():
    table = small()
    with pytest.raises(ValueError, match="add_groups"):
        split.folds(table.assign(group=table["group"].where(table.index != 3)), k=2)
    with pytest.raises(ValueError, match="add_groups"):
        split.folds(table.drop(columns="group"), k=2)
    missing = table.assign(label=table["label"].where(table.index >= 5))
    names = ", ".join(table["image_id"][:3])
    with pytest.raises(ValueError, match=f"e.g. {names}; drop or label them"):
        split.folds(missing, k=2)


def said_if_far(asked, chosen, n=100, label="a"):
    """What is said of the first `chosen` of n rows as a part that was to hold the share `asked`."""
    table = pd.DataFrame({"label": label, "group": [f"g{i}" for i in range(n)]})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        split._say_if_far(table, {"part": (np.arange(n) < chosen, asked)})
    return len(said)


@pytest.mark.parametrize(
    ("asked", "n", "just", "beyond"),
    [
        (0.1, 100, 20, 21),  # a tenth of the rows
        (0.1, 1000, 200, 201),
        (0.5, 100, 75, 76),  # half of what was asked
        (0.5, 100, 25, 24),
        (0.4, 100, 60, 61),
        (0.4, 100, 20, 19),
        (0.6, 100, 80, 81),  # half of the rest
        (0.9, 100, 80, 79),
        (0.1, 10, 3, 4),  # two images
        (0.5, 4, 4, None),
        (0.2, 16, 5, 6),
    ],
)
def test_far_is_a_tenth_or_half_of_what_was_asked_or_two_images(asked, n, just, beyond):
    assert said_if_far(asked, just, n) == 0
    assert beyond is None or said_if_far(asked, beyond, n) == 1


def test_the_farthest_part_is_named_with_its_class():
    table = pd.DataFrame(
        {"label": ["a"] * 50 + ["b"] * 50, "group": [f"g{i // 2}" for i in range(100)]}
    )
    table.loc[table.index >= 90, "group"] = "large"
    near = np.arange(100) % 10 < 4  # 40 % of all and of each class
    only_b = np.arange(100) >= 84  # 32 % of b
    with pytest.warns(
        UserWarning, match=r"two was to hold 10% and holds 32% of class 'b': .*of 21 the largest"
    ) as said:
        split._say_if_far(table, {"one": (near, 0.2), "two": (only_b, 0.1), "three": (near, 0.3)})
    assert "'large', has 10 of 50 images" in str(said[0].message)


def leaking(values):
    """A table in which each of so many values stands in train and test."""
    rows = [
        (f"i{i:02d}{part}", f"s{i:02d}", part) for i in range(values) for part in ("train", "test")
    ]
    return pd.DataFrame(rows, columns=["image_id", "sha256", "split"])


@pytest.mark.parametrize("values", [1, 10, 11, 13])
def test_ten_leaks_are_listed_and_the_others_counted(values):
    with pytest.raises(split.LeakError) as caught:
        split.assert_disjoint(leaking(values))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{values} value(s) on several sides of the split:"
    assert lines[1] == "  sha256 s00: i00test (test), i00train (train)"
    assert len(lines) == 1 + min(values, 10) + (values > 10)
    if values > 10:
        assert lines[-1] == f"  … and {values - 10} more"


def test_rows_without_a_side_leak_nothing():
    table = leaking(1)
    table.loc[1, "split"] = None
    split.assert_disjoint(table)
    split.assert_disjoint(leaking(2).assign(sha256=None))
