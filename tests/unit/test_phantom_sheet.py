"""The figure of twelve phantoms: its content and size; no real film gets into the repository."""

import io

import numpy as np
import pytest
from PIL import Image

from tests import draw
from tools.build import phantom_sheet
from tools.common import ROOT, ToolError


def test_the_twelve_show_every_disease_both_views_and_all_ages():
    rows = phantom_sheet.twelve()
    assert len(rows) == 12
    assert [row["seed"] for row in rows] == list(range(1, 13))  # none is picked
    for column, values in {
        "label": {"normal", "covid", "viral", "bacterial", "effusion"},
        "view": {"PA", "AP"},
        "age_group": {"adult", "child"},
        "sex": {"F", "M"},
        "equipment": {"A", "B", "C"},
    }.items():
        assert {row[column] for row in rows} == values
    words = " ".join(map(phantom_sheet.caption, rows))
    assert all(word in words for word in ("mild", "moderate", "severe", "girl", "boy", "left side"))


def test_only_the_folder_that_git_ignores_may_hold_a_real_radiograph(tmp_path):
    assert phantom_sheet.allowed(tmp_path / "a.png", True)
    assert phantom_sheet.allowed(ROOT / "output" / "a.png", True)
    for place in (
        "a.png",
        "data/figures/a.png",
        "output/../a.png",
        "notebooks/a.png",
        "build/a.png",
    ):
        with pytest.raises(ToolError, match="output"):
            phantom_sheet.allowed(ROOT / place, True)
    assert phantom_sheet.allowed(ROOT / "data" / "figures" / "a.png", False)
    with pytest.raises(ToolError, match="png"):
        phantom_sheet.allowed(tmp_path / "a.jpg", False)


def test_a_refusal_is_one_line_and_writes_nothing(monkeypatch, capsys, tmp_path):
    target = ROOT / "data" / "figures" / "real.png"
    monkeypatch.setattr(
        "sys.argv", ["phantom_sheet", "--real", str(tmp_path), "--out", str(target)]
    )
    assert phantom_sheet.main() == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not target.exists()


def test_real_images_are_taken_from_the_class_folders_in_turn(tmp_path):
    for k, kind in enumerate(draw.CLASSES):
        (tmp_path / kind).mkdir()
        for number in range(3 + 4 * k):
            Image.fromarray(draw.radiograph(kind, 32, number)).save(
                tmp_path / kind / f"{number}.png"
            )
    found = phantom_sheet.real(tmp_path)
    assert len(set(found)) == 12
    assert {kind: sum(p.parent.name == kind for p in found) for kind in draw.CLASSES} == dict(
        zip(draw.CLASSES, (3, 5, 4), strict=True)
    )
    with pytest.raises(ToolError, match="twelve"):
        phantom_sheet.real(tmp_path / "Normal")


def test_a_patchy_lesion_gets_one_outline_and_thin_things_room():
    empty = np.zeros((64, 64), bool)
    patchy, letters = empty.copy(), empty.copy()
    patchy[20:40:2, 20:40] = letters[5, 5] = True
    shown = phantom_sheet.regions(
        {"lung": ~empty, "heart": empty, "lesion": patchy, "marker": letters, "device": empty}
    )
    assert shown["lesion"][22:38, 22:38].all()
    assert shown["marker"].sum() > 20
    assert shown["lung"].all()
    assert not shown["device"].any()


@pytest.mark.slow
def test_the_figure_is_small_enough_for_a_page():
    content = phantom_sheet.small_png(phantom_sheet.sheet())
    assert len(content) <= 600_000
    assert Image.open(io.BytesIO(content)).size[0] == 1200
