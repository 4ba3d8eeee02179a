"""Sliders: frames computed from a lesson's numbers, small HTML, complete without a script."""

import functools
import re
from base64 import b64decode
from io import BytesIO

import nbformat
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, roc_auc_score

from cxr_helpers import plots
from tests.conftest import ROOT

KERNEL = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])
MOST = 120_000  # bytes of one slider


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    truth = np.arange(90) % 3 == 0
    scores = np.clip(0.4 * truth + rng.random(90) * 0.6, 0, 1)
    scores[0] = 0.3  # a score on a threshold is called positive
    return {
        "truth": truth,
        "scores": scores,
        "with": np.clip(scores + 0.4, 0, 1),
        "x": rng.normal(size=(60, 64)) + 0.1 * truth[:60, None],
        "patch": rng.random((6, 6)),
        "studies": {8: rng.uniform(0.7, 0.9, 20), 1: rng.uniform(0.4, 0.6, 40)},
    }


@pytest.fixture(scope="module")
def every(data):
    truth, scores = data["truth"], data["scores"]
    before = {name: repr(value) for name, value in data.items()}
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global stream is what must rest
    made = {
        "threshold": plots.slide_threshold(truth, scores, name="covid"),
        "rate": plots.slide_rate(data["x"], truth[:60]),
        "leak": plots.slide_leak(data["studies"]),
        "kernel": plots.slide_kernel(data["patch"], KERNEL),
        "share": plots.slide_share(truth, data["with"], scores, data["with"]),
        "prevalence": plots.slide_prevalence(0.95, 0.95),
    }
    assert before == {name: repr(value) for name, value in data.items()}, (
        "the data stay as they were"
    )
    assert (np.random.get_state()[1] == state).all(), "no random number is drawn"  # noqa: NPY002
    return made


def test_the_threshold_counts_as_scikit_learn_does(data, every):
    for position, frame in every["threshold"].frames.items():
        called = data["scores"] >= float(position)
        (tn, fp), (fn, tp) = confusion_matrix(data["truth"], called, labels=[False, True])
        assert frame.alt.startswith(f"{tp} of {tp + fn} found, {fp} false alarms among {fp + tn}:")
        ppv = f"{tp / (tp + fp):.2f}" if tp + fp else "undefined"
        assert frame.alt.endswith(f"PPV {ppv}.")


def test_the_marker_moves_the_auc_of_both_test_sets(data, every):
    truth, bare, worn = data["truth"], data["scores"], data["with"]
    none, all_of_them = every["share"].frames["0%"].alt, every["share"].frames["100%"].alt
    assert none.count(f"AUC {roc_auc_score(truth, bare):.3f}") == 2
    same = roc_auc_score(truth, np.where(truth, worn, bare))
    other = roc_auc_score(truth, np.where(truth, bare, worn))
    assert all_of_them == (
        f"COVID-19 patients wear it: AUC {same:.3f}; the others wear it: AUC {other:.3f}."
    )
    half = np.zeros(90, bool)
    half[np.flatnonzero(truth)[:15]] = True
    auc = roc_auc_score(truth, np.where(half, worn, bare))
    assert f"patients wear it: AUC {auc:.3f}" in every["share"].frames["50%"].alt


def test_prevalence_follows_bayes_rule(every):
    assert every["prevalence"].frames["1%"].alt == (
        "Of 10 with the disease 9.5 are found, with 49.5 false alarms: PPV 0.161, NPV 0.999."
    )


def test_the_kernel_is_laid_on_every_place(data, every):
    frames = every["kernel"].frames
    assert len(frames) == 16
    total = (data["patch"][2:5, 1:4] * KERNEL).sum()
    assert f"sum to {total:+.2f}." in frames["row 3, column 2"].alt


def test_a_small_rate_creeps_and_a_large_one_leaps(every):
    losses = {
        position: [float(value) for value in re.findall(r"\d+\.\d+", frame.alt)]
        for position, frame in every["rate"].frames.items()
    }
    begin, end, most = losses["0.01"]
    assert begin > end > 0.8 * begin
    assert losses["1"][1] < end
    assert losses["30"][2] > begin == most


def test_images_of_a_patient_stand_in_order_with_their_mean(data, every):
    frames = every["leak"].frames
    assert list(frames) == ["1", "8"]
    assert frames["8"].alt.startswith(f"Mean AUC {data['studies'][8].mean():.3f} over 20 studies")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["threshold", "rate", "leak", "kernel", "share", "prevalence"])
def test_the_html_is_small_and_says_the_same_without_a_script(every, name):
    slider = every[name]
    html = slider.html()
    assert len(html.encode()) <= MOST
    assert not re.search(r"https?://|@import|url\(", html)
    without = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    images = re.findall(
        r'<img style="[^"]+" alt="([^"]+)" src="data:image/webp;base64,([^"]+)">', without
    )
    assert len(images) == len(slider.still) >= 2
    for position, (alt, code) in zip(slider.still, images, strict=True):
        assert alt == f"{slider.name} {position}. {slider.frames[position].alt}"
        with Image.open(BytesIO(b64decode(code))) as image:
            assert image.width == 480
            assert image.convert("L").getextrema()[0] < 60, "there is something on it"
    assert slider._repr_mimebundle_()["text/plain"] == slider.alt


@pytest.mark.slow
@functools.cache
def prevalence() -> str:
    return plots.slide_prevalence(0.9, 0.8).html()


def test_the_same_numbers_give_the_same_bytes(every):
    assert plots.slide_prevalence(0.9, 0.8).html() == prevalence()
    assert every["prevalence"].html() != prevalence()


def test_positions_and_data_that_do_not_fit_are_refused(data):
    frame = plots.slide_prevalence(0.9, 0.9).frames["10%"]
    with pytest.raises(ValueError, match=r"no position 2; there are 1"):
        plots.Slider("place", {"1": frame}, ("1", "2"), "1", "text")
    with pytest.raises(ValueError, match="images of both groups"):
        plots.slide_threshold(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="smaller than the kernel"):
        plots.slide_kernel(np.ones((2, 6)), KERNEL)


@pytest.mark.parametrize("name", ["04_", "05_", "06_", "07_", "09_", "11_"])
def test_the_committed_sliders_are_small_and_carry_the_present_script(name):
    file = next((ROOT / "notebooks").glob(f"{name}*.ipynb"))
    cells = [c for c in nbformat.read(file, 4).cells if "picture" in c.metadata.get("tags", [])]
    assert len(cells) == 1
    html = cells[0].outputs[0].data["text/html"]
    assert len(html.encode()) <= MOST
    script = re.sub(r"const frames = .*", "", html[html.index("<script>") :])
    present = re.sub(r"const frames = .*", "", prevalence())
    assert _plain(script) == _plain(present[present.index("<script>") :])


def _plain(script: str) -> str:
    """The script without what is the slider's own: its class, its name, where it starts."""
    return re.sub(r"slider-[0-9a-f]{8}|value: \d+|= \"[\w ,]+\" \+", "", script)
