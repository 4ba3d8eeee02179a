"""The table of functions: who calls what first is read from code; unused ones are noticed."""

import pytest

from tools.build import functions, site
from tools.common import ROOT

# Called by no code: text that readers follow names it.
NAMED = {
    "datasets.keep_on_drive": "tools/build/frame.py",  # writes the notebooks' first cell for Colab
    "evaluate.from_arrays": "docs/package.md",
    "explain.occlusion": "notebooks/src/10_explanation.py",
    "stats.delong": "notebooks/src/07_evaluation.py",
    "stats.mcnemar_exact": "notebooks/src/07_evaluation.py",
    "train.cross_validate": "docs/package.md",
}
CODE = '''
import cxr_helpers
from cxr_helpers import split, train as teach
from cxr_helpers.images import read


def folds(table):
    """split.holdout is only named here."""
    from cxr_helpers.explain._maps import grad_cam

    teach.fit, read("a.png"), cxr_helpers.audit.report, table.split.holdout
    return split.folds(table)
'''


def test_every_public_function_has_a_reader():
    without = set(functions.functions()) - set(functions.first_uses())
    assert without == set(NAMED), "what nothing calls goes, unless a text sends readers to it"
    for name, page in NAMED.items():
        assert name.split(".")[1] in (ROOT / page).read_text("utf-8")


def test_uses_are_those_of_the_code(tmp_path):
    file = tmp_path / "notebooks" / "one.py"
    file.parent.mkdir()
    file.write_text(CODE)
    assert functions.used(file, tmp_path) == {
        "split.folds", "train.fit", "images.read", "audit.report",
    }  # fmt: skip
    inside = tmp_path / "cxr_helpers" / "split.py"
    inside.parent.mkdir()
    inside.write_text(
        "from .stats import mean\nfrom . import files\n"
        "def folds(): return mean, files.sha256\nfolds()\n"
    )
    assert functions.used(inside, tmp_path) == {"stats.mean", "files.sha256", "split.folds"}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("split.holdout", "03"),
        ("evaluate.wilson", "02"),
        ("stats.wilson", "02"),
        ("stats.delong", ""),
    ],
)
def test_the_first_lesson_is_found_whatever_room_offers_it(name, first):
    assert functions.lesson(name) == first


def test_the_reference_names_the_first_lesson():
    linked = "First called in :doc:`lesson 10 </notebooks/10_explanation>`."
    assert site.first_called("cxr_helpers.explain.grad_cam") == ["", linked, ""]
    assert site.first_called("cxr_helpers.explain.occlusion") == []
    assert site.first_called("cxr_helpers.stats.Estimate.text") == []
