"""Every picture draws, says in its text what was computed, and refuses what it cannot draw."""

import base64
import html
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import plots

MASKS = {
    "lung": np.eye(32) > 0,
    "heart": np.ones((32, 32), bool),
    "device": np.zeros((32, 32), bool),
}
RUNS = pd.DataFrame(
    [
        ("E", arm, n, seed, 0.5 + n / 400 + seed / 100)
        for arm in ("scratch", "pretrained")
        for n in (50, 100)
        for seed in (0, 1)
    ],
    columns=["set", "arm", "n", "seed", "value"],
)
LABELS = ["normal"] * 6 + ["covid"] * 10 + ["viral"] * 4


@pytest.fixture(scope="module")
def table():
    n = len(LABELS)
    return pd.DataFrame(
        {
            "image_id": [f"{i}.png" for i in range(n)],
            "label": pd.Categorical(LABELS, categories=["normal", "covid", "viral"]),
            "split": pd.Categorical(
                (["train"] * 3 + ["test"] * 2) * 4, categories=["train", "val", "test"]
            ),
            "patient": ["p1", "p2"] * (n // 2),
            "width": [512] * 10 + [1024] * 10,
            "height": [400] * 10 + [1024] * 10,
            "format": ["JPEG"] * 15 + ["PNG"] * 5,
        },
        index=range(100, 100 + n),  # what is left after a filter: places and index differ
    )


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (len(LABELS), 32, 32)).astype(np.uint8)


@pytest.fixture(scope="module")
def curve():
    return pd.DataFrame(
        {
            "threshold": [np.inf, 0.8, 0.4, 0.1],
            "sensitivity": [0, 0.5, 0.9, 1.0],
            "specificity": [1, 0.9, 0.6, 0.0],
        }
    )


@pytest.fixture(scope="module")
def history():
    return pd.DataFrame(
        {
            "loss": [1.0, 0.5, 0.2],
            "accuracy": [0.4, 0.7, 0.9],
            "val_loss": [1.1, 0.6, 0.8],
            "val_accuracy": [0.3, 0.6, 0.5],
        }
    )


@pytest.fixture(scope="module")
def every(table, images, curve, history):
    """One picture of each kind."""
    matrix = pd.DataFrame([[5, 1], [2, 8]], index=["normal", "covid"], columns=["normal", "covid"])
    rows = pd.DataFrame(
        {"label": ["a", "b"], "value": [0.9, np.nan], "low": [0.8, np.nan], "high": [0.95, np.nan]}
    )
    pairs = pd.DataFrame(
        {"image_id_a": ["0.png"], "image_id_b": ["1.png"], "kind": ["near"], "similarity": [0.93]}
    )
    return {
        "compare_images": plots.compare_images(images[:2], ["before", "after"], histograms=True),
        "confusion": plots.confusion(matrix),
        "curves": plots.curves(history),
        "distribution": plots.distribution(
            [1, 2, 3, 4], mark={"seen": 3}, title="Simulated", xlabel="value"
        ),
        "duplicate_pairs": plots.duplicate_pairs(
            dict(zip(table["image_id"], images, strict=True)), pairs
        ),
        "filters": plots.filters([np.eye(3), -np.eye(3)], ["a", "b"]),
        "histogram": plots.histogram(images, table["label"]),
        "intervals": plots.intervals(rows, baseline={"majority": 0.4}, xlabel="accuracy"),
        "learning_curve": plots.learning_curve(RUNS, title="More images", ylabel="macro-F1"),
        "line": plots.line(
            [1, 2, 3], {"x": [3, 1, 2]}, title="Course", xlabel="step", ylabel="height"
        ),
        "mean_images": plots.mean_images(images, table["label"]),
        "montage": plots.montage(images[:7], table["label"].head(7)),
        "outlines": plots.outlines(images[:2], [MASKS, {}], ["ill", "well"], title="Two"),
        "roc": plots.roc(curve),
        "split_counts": plots.split_counts(table),
        "weights": plots.weights(np.arange(-3.0, 3.0).reshape(2, 3)),
    }


def test_every_public_picture_is_tried(every):
    others = "".join(file.read_text() for file in Path(__file__).parent.glob("test_plots_*.py"))
    elsewhere = {name for name in plots.__all__ if f"plots.{name}(" in others}
    assert set(every) | elsewhere == set(plots.__all__) - {"Picture", "class_colour", "show"}


def test_every_picture_has_title_labels_and_text(every):
    pictures_of_images = {
        "compare_images",
        "duplicate_pairs",
        "filters",
        "mean_images",
        "montage",
        "outlines",
        "weights",
    }
    for name, picture in every.items():
        axes = picture.figure.axes
        titles = [picture.figure.get_suptitle(), *(a.get_title(loc="left") for a in axes)]
        assert any(titles), name
        if name not in pictures_of_images:
            assert axes[0].get_xlabel(), name
            assert axes[0].get_ylabel() or name in {"split_counts", "intervals"}, name
        assert any(letter.isdigit() for letter in picture.alt), name
        assert len(picture.alt) > 40, name


@pytest.mark.slow
def test_every_picture_is_a_small_png_with_its_text(every):
    for name, picture in every.items():
        form = r'<img alt="([^"<>]*)" src="data:image/png;base64,([^"]*)">'
        said, data = re.fullmatch(form, picture._repr_html_()).groups()
        assert html.unescape(said) == repr(picture) == picture.alt
        png = base64.b64decode(data)
        width, height = Image.open(io.BytesIO(png)).size
        assert width <= 820, name
        assert height >= 100, name
        assert len(png) < 150_000, name


def test_no_letter_is_smaller_than_ten_points(every):
    from matplotlib.text import Text

    for name, picture in every.items():
        small = [
            t.get_text()
            for t in picture.figure.findobj(Text)
            if t.get_text() and t.get_fontsize() < 10
        ]
        assert not small, name


def test_pyplot_knows_no_figure_and_settings_stay():
    code = (
        "import numpy as np; from cxr_helpers import plots; import matplotlib as mpl; before = "
        "dict(mpl.rcParams);plots.weights(np.eye(3)).png();assert dict(mpl.rcParams) == before; "
        "import matplotlib.pyplot as plt; assert plt.get_fignums() == []"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_same_picture_twice_is_the_same_file(images):
    first, second = (plots.montage(images[:4], title="Four").png() for _ in range(2))
    assert first == second


# --- what the text says ---------------------------------------------------------------------------


def test_text_of_counts(table):
    alt = plots.split_counts(table).alt
    counts = table.groupby(["split", "label"], observed=True).size()
    assert f"train 12 ({counts['train', 'normal']} normal, {counts['train', 'covid']} covid" in alt
    assert "test 8 (" in alt
    assert (
        "none"
        in plots.split_counts(table.assign(split=table["split"].where(table["width"] > 600))).alt
    )


def test_text_of_grey_levels(images, table):
    level = images[:6].mean((1, 2))
    assert (
        f"normal {level.mean():.0f} ± {level.std():.0f}"
        in plots.histogram(images, table["label"]).alt
    )
    alt = plots.mean_images(images, table["label"]).alt
    assert (
        f"normal {images[:6].mean(0).mean():.0f} (deviation {images[:6].std(0).mean():.0f})" in alt
    )


def test_text_of_images(images):
    mask = np.zeros((32, 32), bool)
    mask[:8, :16] = True
    alt = plots.montage(images[:3], ["covid", "covid", "normal"], masks=[mask, None, mask]).alt
    assert "3 radiographs side by side, 2 covid and 1 normal" in alt
    assert "2 images with an outlined region, on average 12.5% of the image" in alt
    alt = plots.compare_images([images[0], images[0][:16]], ["whole", "cut"]).alt
    assert f"cut 32×16 px, mean grey level {images[0][:16].mean():.0f}" in alt


def test_text_of_pairs(images):
    pairs = pd.DataFrame(
        {
            "image_id_a": ["a", "a", "b"],
            "image_id_b": ["b", "c", "c"],
            "kind": ["identical", "identical", "near"],
            "split_a": ["train", "train", None],
            "split_b": ["test", "train", "test"],
        }
    )
    alt = plots.duplicate_pairs(dict(zip("abc", images, strict=False)), pairs, limit=2).alt
    assert (
        "3 pairs of images (2 identical and 1 near), 1 of them across two splits. 2 are shown."
        in alt
    )


def test_text_of_curves(history):
    assert "lowest validation loss 0.600 at epoch 2" in plots.curves(history).alt
    assert "training accuracy 0.400 to 0.900" in plots.curves(history).alt
    assert "at epoch 20" in plots.curves(history.assign(epoch=[10, 20, 30])).alt
    assert "lowest training loss 0.200 at epoch 3" in plots.curves(history[["loss"]]).alt


def test_text_of_evaluation(curve, every):
    assert "13 of 16 images on the diagonal" in every["confusion"].alt
    assert "normal: 5 normal, 1 covid; covid: 2 normal, 8 covid" in every["confusion"].alt
    area = 0.1 * 0.25 + 0.3 * 0.7 + 0.6 * 0.95
    alt = plots.roc({"mine": curve}, thresholds={"mine": 0.5}).alt
    assert f"mine area {area:.3f}" in alt
    assert "at threshold 0.5: sensitivity 0.500, specificity 0.900" in alt
    assert "a 0.900 (0.80-0.95); b undefined. Baseline majority 0.4." in every["intervals"].alt


def test_the_area_agrees_with_the_metrics():
    from sklearn import metrics

    rng = np.random.default_rng(1)
    truth = rng.random(80) < 0.4
    score = np.round(rng.random(80) + truth * 0.4, 1)
    fpr, tpr, cut = metrics.roc_curve(truth, score)
    table = pd.DataFrame({"threshold": cut, "sensitivity": tpr, "specificity": 1 - fpr})
    assert f"area {metrics.roc_auc_score(truth, score):.3f}" in plots.roc(table).alt


def test_text_of_numbers(every):
    assert "4 values, mean 2.5" in every["distribution"].alt
    assert "seen 3 is reached by 50.0%" in every["distribution"].alt
    assert "from 3 at 1 to 2 at 3, lowest 1 at 2, highest 3 at 1" in every["line"].alt
    assert (
        "2×3 values from -3 to 2, 33% above zero; the largest in size, -3, lies at row 0, column 0"
        in (every["weights"].alt)
    )
    assert "2 arrays of 3×3 values from -1 to 1" in every["filters"].alt


def test_text_of_a_learning_curve_names_mean_and_spread_of_every_arm(every):
    text = every["learning_curve"].alt
    assert "mean over 2 seeds" in text
    assert "E, scratch 0.630 (0.62-0.64) with 50 and 0.755 (0.75-0.76) with 100" in text
    assert text.count("E, ") == 2


def test_every_run_of_a_learning_curve_is_a_dot_of_its_own(every):
    dots = [
        line
        for line in every["learning_curve"].figure.axes[0].lines
        if line.get_linestyle() == "None"
    ]
    assert sum(len(line.get_xdata()) for line in dots) == len(RUNS)
    assert not set(dots[0].get_xdata()) & set(dots[1].get_xdata())


@pytest.mark.parametrize("lacking", ["first", "other"])
def test_an_arm_that_a_set_lacks_leaves_a_gap_and_keeps_its_name(lacking):
    other = RUNS.assign(set="other")
    runs = pd.concat([RUNS.assign(set="first"), other], ignore_index=True)
    runs = runs[(runs["set"] != lacking) | (runs["arm"] != "pretrained")]
    picture = plots.learning_curve(runs, title="More images", ylabel="macro-F1")
    (legend,) = picture.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["pretrained", "scratch"]
    colours = [line.get_color() for line in legend.get_lines()]
    for name, axes in zip(("first", "other"), picture.figure.axes, strict=True):
        drawn = [line.get_color() for line in axes.lines if line.get_linestyle() != "None"]
        assert drawn == (colours[1:] if name == lacking else colours)
    assert picture.alt.count("pretrained") == 1
    assert picture.alt.count("scratch") == 2


def test_text_of_outlines_counts_what_is_outlined(every):
    text = every["outlines"].alt
    assert "2 radiographs (ill; well)" in text
    assert (
        f"lungs in 1, on average {1 / 32:.1%} of the image; heart in 1, on average 100.0% of the "
        "image." in text
    )
    assert "devices" not in text


def test_an_outline_lies_around_its_region_beside_the_plain_image():
    mask = np.zeros((20, 20), bool)
    mask[5:10, 2:6] = True
    for beside, offset in ((True, 22), (False, 0)):
        axes = plots.outlines(
            [np.zeros((20, 20))], [{"lesion": mask}], beside=beside, title="One"
        ).figure.axes[0]
        (path,) = axes.collections[0].get_paths()
        assert np.allclose(path.get_extents().extents, [1.5 + offset, 4.5, 5.5 + offset, 9.5])


def test_bars_of_counts_are_centred_on_the_counts():
    values = np.array([20, 21, 21, 22, 25]) / 66
    axes = plots.distribution(values, title="Best", xlabel="accuracy").figure.axes[0]
    heights = {
        round((bar.get_x() + bar.get_width() / 2) * 66): bar.get_height() for bar in axes.patches
    }
    assert {k: v for k, v in heights.items() if v} == {20: 1, 21: 2, 22: 1, 25: 1}


# --- look -----------------------------------------------------------------------------------------


def test_radiographs_are_grey_on_one_fixed_scale(images):
    dark, light = images[0] // 4, images[1] // 4 + 190
    for axes in plots.montage([dark, light]).figure.axes:
        assert axes.images[0].get_clim() == (0, 255)
        assert axes.images[0].get_cmap().name == "gray"
        assert not len(axes.get_xticks())


def test_signed_maps_are_white_at_zero():
    assert plots.weights(np.array([[-1.0, 3.0]])).figure.axes[0].images[0].get_clim() == (-3, 3)
    panels = plots.filters([np.array([[-1.0]]), np.array([[2.0]])]).figure.axes
    assert {axes.images[0].get_clim() for axes in panels[:2]} == {(-2, 2)}


def test_a_class_keeps_its_colour(table):
    from matplotlib.colors import to_hex

    def colours(rows):
        axes = plots.split_counts(rows).figure.axes[0]
        bars, names = axes.get_legend_handles_labels()
        return dict(
            zip(names, [to_hex(bar[0].get_facecolor()).upper() for bar in bars], strict=True)
        )

    assert (
        colours(table[table["label"] == "viral"])["viral"]
        == colours(table)["viral"]
        == plots.class_colour("viral")
    )


def test_float_images_in_zero_to_one_look_like_their_grey_levels(images):
    whole, unit = plots.montage(images[:2]), plots.montage(images[:2] / 255.0)
    assert whole.alt == unit.alt
    assert whole.png() == unit.png()


def test_palette_keeps_rare_colours():
    ramp = np.linspace(-1, 1, 4096).reshape(64, 64) ** 3
    picture = plots.weights(ramp)
    raw = io.BytesIO()
    picture.figure.savefig(raw, format="png", dpi=100)
    before = np.asarray(Image.open(raw).convert("RGB"), int)
    after = np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGB"), int)
    assert np.abs(before - after).max() <= 12


# --- saving and showing ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_save_writes_the_whole_file_and_nothing_else(tmp_path, suffix):
    path = plots.weights(np.eye(3)).save(tmp_path / f"w{suffix}")
    assert [path] == list(tmp_path.iterdir())
    assert path.stat().st_size > 500
    if suffix == ".png":
        Image.open(path).verify()


def test_save_leaves_the_old_file_if_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "w.png"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="disk full"):
        plots.weights(np.eye(3)).save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="must end in"):
        plots.weights(np.eye(3)).save(tmp_path / "w.bmp")


def test_show_gives_a_figure_of_ones_own_a_text_and_closes_it():
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    picture = plots.show(axes, "A line rises from 1 to 2.")
    assert picture.figure is figure
    assert figure.number not in plt.get_fignums()
    assert len(picture.png()) > 1000
    assert repr(picture) == "A line rises from 1 to 2."
    with pytest.raises(ValueError, match="alt text"):
        plots.show(figure, "  ")
    with pytest.raises(TypeError, match="Figure or Axes"):
        plots.show([1, 2], "A list.")


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda t, i: plots.split_counts(t[["label"]]), "split"),
        (lambda t, i: plots.split_counts(t.drop(columns="label")), "column.*label"),
        (lambda t, i: plots.histogram(i, t["label"].head(3)), "3 labels for 20 images"),
        (lambda t, i: plots.mean_images(i, t["label"].head(3)), "3 labels for 20 images"),
        (lambda t, i: plots.montage([]), "at least one image"),
        (lambda t, i: plots.montage(i[:3], ["a"]), "1 titles for 3 images"),
        (lambda t, i: plots.montage(i[:3] - 128.0), "standardised"),
        (lambda t, i: plots.montage([np.zeros((4, 4, 3))]), "2-D"),
        (lambda t, i: plots.outlines(i[:2], [{}], title="t"), "1 dicts of masks for 2 images"),
        (lambda t, i: plots.outlines(i[:1], [{"lung": np.eye(3)}], title="t"), "lung.*shape"),
        (lambda t, i: plots.outlines([], [], title="t"), "at least one image"),
        (lambda t, i: plots.learning_curve(RUNS.drop(columns="arm"), title="t", ylabel="y"), "arm"),
        (lambda t, i: plots.compare_images(i[:2], ["a"]), "1 titles for 2 images"),
        (lambda t, i: plots.weights(np.zeros(9)), "reshape"),
        (lambda t, i: plots.filters([]), "at least one array"),
        (lambda t, i: plots.confusion(np.eye(3)), "evaluate.confusion"),
        (
            lambda t, i: plots.confusion(pd.DataFrame([[1, 2]], index=["a"], columns=["a", "b"])),
            "same classes",
        ),
        (lambda t, i: plots.curves(pd.DataFrame({"accuracy": [1]})), "loss"),
        (lambda t, i: plots.roc({}), "at least one curve"),
        (lambda t, i: plots.roc({"m": pd.DataFrame({"fpr": [0]})}), "sensitivity, specificity"),
        (lambda t, i: plots.intervals(pd.DataFrame({"value": [1]})), "label, low, high"),
        (lambda t, i: plots.distribution([], title="t", xlabel="x"), "at least one value"),
        (lambda t, i: plots.distribution([1, np.nan], title="t", xlabel="x"), "finite"),
        (
            lambda t, i: plots.line([1, 2], {"y": [1]}, title="t", xlabel="x", ylabel="y"),
            "x has 2 values",
        ),
        (
            lambda t, i: plots.duplicate_pairs(
                i, pd.DataFrame({"image_id_a": ["a"], "image_id_b": ["b"]})
            ),
            "dict",
        ),
        (
            lambda t, i: plots.duplicate_pairs(
                {}, pd.DataFrame({"image_id_a": ["a"], "image_id_b": ["b"]})
            ),
            "a and b",
        ),
    ],
)
def test_what_cannot_be_drawn_is_explained(table, images, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(table, images)


def test_values_that_lie_apart_are_seen_on_a_log_scale():
    rng = np.random.default_rng(0)
    many, few = 0.25 + 0.3 * rng.random(2000), 0.95 + 0.05 * rng.random(20)
    both = plots.distribution([*many, *few], title="Pairs", xlabel="similarity", what="pairs")
    axes = both.figure.axes[0]
    assert axes.get_yscale() == "log"
    assert "log scale" in axes.get_ylabel()
    alone = plots.distribution(many, title="Pairs", xlabel="similarity").figure.axes[0]
    assert alone.get_yscale() == "linear"


def test_each_class_has_its_own_panel_of_grey_levels(images, table):
    panels = plots.histogram(images, table["label"]).figure.axes
    assert [axes.get_title(loc="left") for axes in panels] == [
        "normal (n = 6)",
        "covid (n = 10)",
        "viral (n = 4)",
    ]
    assert all(len(axes.lines) == 3 for axes in panels), "the other means are in each panel"


def test_an_interval_that_begins_just_below_zero_says_so():
    rows = pd.DataFrame({"label": ["gain"], "value": [0.003], "low": [-0.004], "high": [0.012]})
    assert "gain 0.003 (-0.004 to 0.012)" in plots.intervals(rows).alt
