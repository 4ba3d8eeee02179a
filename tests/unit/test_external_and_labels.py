"""Another hospital and the second reading: joined tables, hand-counted figures, committed files."""

import pandas as pd
import pytest

from benchmarks import external, label_worth, stored
from cxr_helpers import measured

# --- another hospital -----------------------------------------------------------------------------


def answers(labels: str, calls: str) -> pd.DataFrame:
    """One image a letter, each a group: c for covid, n for normal."""
    names = {"c": "covid", "n": "normal"}
    p = [0.9 if call == "c" else 0.2 for call in calls]
    table = pd.DataFrame(
        {"label": [names[k] for k in labels], "predicted": [names[k] for k in calls]}
    )
    table = table.assign(
        image_id=[f"i{k}" for k in range(len(p))], seed=0, p_covid=p, p_normal=[1 - x for x in p]
    )
    return table.assign(group=table["image_id"])


def test_figures_there_are_those_counted_by_hand():
    line = external.figures(answers("ccccnn", "cccncn"))
    assert line["accuracy"] == pytest.approx(4 / 6)
    assert (line["sensitivity"], line["specificity"]) == (
        pytest.approx(3 / 4),
        pytest.approx(1 / 2),
    )
    # eight pairs: the three found tie with one normal and beat the other; the missed one ties with
    # one and loses
    assert line["auc"] == pytest.approx((3 + 3 / 2 + 1 / 2) / 8)
    assert (line["n"], line["groups"], line["covid"], line["largest_class"]) == (6, 6, 4, "covid")
    assert line["always_covid"] == line["always_largest"] == pytest.approx(4 / 6)
    assert external.figures(answers("cnn", "ccn"))["largest_class"] == "normal"
    for name in ("accuracy", "sensitivity", "specificity"):
        assert line[f"{name}_low"] < line[name] < line[f"{name}_high"]


def test_a_film_there_that_is_known_from_training_is_counted_once():
    both = pd.DataFrame(
        {"image_id": list("abxyz"), "split": ["train", "train", "test", "test", "test"]}
    )
    pairs = pd.DataFrame([("a", "x"), ("x", "b"), ("y", "z"), ("z", "a"), ("a", "b")])
    pairs.columns = ["image_id_a", "image_id_b"]
    assert external.shared_films(both, pairs) == 2  # x and z; y is like a film of its own side
    assert external.shared_films(both, pairs.iloc[[2, 4]]) == 0


def test_the_committed_figures_are_those_of_the_kept_predictions():
    table = measured.read("external").set_index("where")
    models = stored.read("external")
    assert list(models) == list(table.index) == [external.INSIDE, external.THERE]
    for where, found in models.items():
        for name, value in external.figures(found).items():
            known = table.loc[where, name]
            assert known == (value if isinstance(value, str) else pytest.approx(value, abs=1e-4)), (
                where,
                name,
            )
    assert not set(models[external.INSIDE]["image_id"]) & set(models[external.THERE]["image_id"])
    inside = models[external.INSIDE].groupby("group")["fold"].nunique()
    assert (inside == 1).all(), "a group is in two folds"


# --- what a label is worth ------------------------------------------------------------------------


def films(**columns) -> str:
    """NIH's table of six invented films as CSV text; `columns` replace what stands here."""
    table = pd.DataFrame(
        {
            "Image Index": [f"{k}.png" for k in range(6)],
            "Finding Labels": [
                "Pneumonia",
                "Edema|Pneumonia",
                "Pneumonia",
                "No Finding",
                "No Finding",
                "No Finding",
            ],
            "Follow-up #": [5, 6, 7, 1, 2, 3],
            "Patient ID": [1, 2, 3, 4, 5, 6],
            "Patient Age": [40, 40, 40, 40, 40, 40],
            "View Position": ["PA", "PA", "AP", "AP", "AP", "PA"],
            "Airspace opacity": ["YES", "NO", "NO", "NO", "NO", "YES"],
        }
    )
    return table.assign(**columns).to_csv(index=False)


def test_a_second_reading_is_counted_and_numbers_rank(tmp_path):
    file = tmp_path / "films.csv"
    file.write_text(films())
    rows = label_worth.read(file)
    assert rows["label"].tolist() == ["pneumonia"] * 3 + ["normal"] * 3
    table = label_worth.table(rows, rows).set_index("what")
    assert table.loc["labelled pneumonia", ["count", "n", "groups"]].tolist() == [1, 3, 3]
    assert table.loc["labelled no finding", "value"] == pytest.approx(1 / 3, abs=1e-4)
    assert table.loc["follow-up number", "value"] == 1  # every pneumonia has the higher number
    assert table.loc["age", "value"] == 0.5  # all ties
    # PA against AP: 2·2 pairs right of 9; 2·1 tied as PA, 1·2 tied as AP; 1·1 wrong
    assert table.loc["view (PA)", "value"] == pytest.approx((4 + 4 / 2) / 9, abs=1e-4)
    assert table.loc[["view (PA)", "age"], "count"].isna().all()


def test_films_of_one_patient_are_one_group(tmp_path):
    file = tmp_path / "films.csv"
    file.write_text(films(**{"Patient ID": [1, 1, 2, 3, 3, 3]}))
    again = label_worth.second_reading(label_worth.read(file), "pneumonia")
    assert (again["n"], again["groups"]) == (3, 2)


def test_what_is_neither_is_refused(tmp_path):
    file = tmp_path / "films.csv"
    with pytest.raises(FileNotFoundError, match=r"films\.csv is not there"):
        label_worth.read(file)
    file.write_text(films(**{"Finding Labels": ["Pneumonia"] * 5 + ["Effusion"]}))
    with pytest.raises(ValueError, match="neither pneumonia nor no finding: Effusion"):
        label_worth.read(file)
    file.write_text(films(**{"Airspace opacity": ["YES", "", "NO", "NO", "NO", "NO"]}))
    with pytest.raises(ValueError, match="neither YES nor NO"):
        label_worth.second_reading(label_worth.read(file), "pneumonia")


def test_the_committed_counts_are_those_of_the_public_tables(real_data):
    folder = real_data / "nih"
    if not folder.is_dir():
        pytest.skip(f"NIH's tables are not in {folder}")
    table = label_worth.table(
        label_worth.read(folder / label_worth.ENTRIES), label_worth.read(folder / label_worth.AGAIN)
    )
    known = (
        measured.read("label_worth").drop(columns=["date", "command"]).astype({"count": "Int64"})
    )
    pd.testing.assert_frame_equal(table, known, check_dtype=False, atol=1e-4)
