"""The audit names a set's faults, whatever the sizes of its files, and nothing of the machine it ran on."""

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import audit, datasets, duplicates, evaluate
from tests.draw import draw_set


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_set(folder, size=96)
    return datasets.load_report("covid19-image-dataset", folder, progress=False)


def test_report_finds_what_was_planted(imported):
    found = audit.report(imported.table, imported.rejects).set_index("check")
    assert list(found.columns) == ["verdict", "finding", "examples"]
    assert set(found["verdict"]) <= {"ok", "look", "fault"}
    assert found.loc["duplicates across the split", "verdict"] == "fault"
    assert found.loc["duplicates across the split", "finding"].startswith("2 pair(s), 1 of them byte-identical")
    assert found.loc["byte-identical pairs", "finding"] == "1 pair(s)"
    assert found.loc["unreadable files", "finding"] == "1 file(s) left out"
    assert found.loc["unreadable files", "examples"].startswith("truncated.jpeg: ")  # no folder of this machine
    assert found.loc["size by class", "finding"] == "every image is 96×96"


@pytest.mark.slow
def test_sizes_that_differ_by_class_are_told_with_their_aspect(imported):
    table = imported.table.assign(width=np.where(imported.table["label"] == "covid", 192, 96))
    row = audit.report(table, pairs=duplicates.pairs(table, progress=False)).set_index("check").loc["size by class"]
    assert row["verdict"] == "look"
    assert (
        "normal: median width 96, width / height 1.00; covid: median width 192, width / height 2.00" in row["finding"]
    )


@pytest.mark.slow
def test_file_properties_give_away_a_class_of_its_own_size_and_no_other(imported):
    table = duplicates.add_groups(imported.table, duplicates.pairs(imported.table, progress=False))
    table["bytes"], table["format"], table["mode"] = 5000, "JPEG", "L"
    table["path"] = table["image_id"].str.rsplit(".", n=1).str[0] + ".jpeg"
    blind = evaluate.metric(audit.file_properties_baseline(table), "roc_auc_macro")
    told = table.assign(width=np.where(table["label"] == "covid", 192, 96))
    assert evaluate.metric(audit.file_properties_baseline(told), "roc_auc", "covid").value == 1
    few = audit.file_properties_baseline(told, trees=20)
    assert evaluate.metric(few, "roc_auc", "covid").value == 1
    assert not np.allclose(few.filter(like="p_"), audit.file_properties_baseline(told).filter(like="p_"))
    assert blind.value == pytest.approx(0.5, abs=0.1)


def test_report_of_a_set_without_split_or_duplicates(imported):
    table = imported.table.drop_duplicates("sha256").reset_index(drop=True)
    table["split"] = pd.Categorical([None] * len(table), categories=["train", "val", "test"])
    none = duplicates.pairs(table, threshold=1.0, progress=False)
    found = audit.report(table, pairs=none).set_index("check")
    assert found.loc["byte-identical pairs", "verdict"] == "ok"
    assert found.loc["unreadable files", "verdict"] == "ok"
