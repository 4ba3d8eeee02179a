"""Exported files answer as the network does; bundles show changes; cards are whole or unwritten."""

import base64
import hashlib
import html
import io
import json
import re
import threading
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import deploy, preprocess, uncertainty

SIZE, CLASSES = 32, ("normal", "covid", "viral")
PREPARED = {"size": SIZE, "fit": "pad", "contrast": None}


def network(units=3, seed=0):
    """One convolution and a softmax (or one sigmoid unit), with weights that answers differ by."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    body = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
    ]
    head = layers.Dense(
        units, "sigmoid" if units == 1 else "softmax", kernel_initializer="random_normal"
    )
    model = keras.Sequential([keras.Input((SIZE, SIZE, 1)), *body, head])
    head.kernel.assign(head.kernel * 100)
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (24, SIZE, SIZE)).astype(np.uint8)


@pytest.fixture(scope="module")
def files(model, images, tmp_path_factory):
    return deploy.export(
        model, tmp_path_factory.mktemp("exported"), deploy.FORMATS, representative=images[:8]
    )


# --- export ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.tensorflow
def test_every_format_is_written_small_and_with_its_hash(files):
    assert files["name"].tolist() == ["float32", "float16", "int8", "int8_full", "onnx"]
    for row in files.itertuples():
        content = Path(row.file).read_bytes()
        assert row.kB == len(content) / 1000
        assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert files["format"].tolist() == ["LiteRT"] * 4 + ["ONNX"]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_float_files_answer_as_keras_and_the_others_nearly(model, files, images):
    found = deploy.parity(model, files, images).set_index("name")
    assert (found["n"] == len(images)).all()
    assert found.loc[["float32.tflite", "float32.onnx"], "largest"].max() < 1e-5
    assert 1e-7 < found.loc["float16.tflite", "largest"] < 0.02
    assert found.loc["int8_full.tflite", "largest"] > found.loc["float16.tflite", "largest"]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_parity_finds_a_file_of_another_network(files, images):
    """The differences are those that the two networks' answers have, image by image."""
    other = network()
    other.layers[-1].bias.assign([0.5, 0.0, 0.0])
    mine, yours = (deploy.keras_runner(m)(images) for m in (other, network()))
    found = deploy.parity(other, files.head(1), images).iloc[0]
    assert found["largest"] == pytest.approx(np.abs(mine - yours).max(), abs=1e-5)
    assert found["mean"] == pytest.approx(np.abs(mine - yours).max(axis=1).mean(), abs=1e-5)
    assert found["flipped"] == (mine.argmax(1) != yours.argmax(1)).sum()
    assert found["low"] <= found["flipped"] / found["n"] <= found["high"]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_one_sigmoid_unit_becomes_two_columns(images, tmp_path):
    binary = network(units=1)
    files = deploy.export(binary, tmp_path, ["float32"])
    found = deploy.run_exported(files["file"][0])(images)
    raw = np.asarray(binary(images[..., None].astype(np.float32)))
    np.testing.assert_allclose(found, np.hstack([1 - raw, raw]), atol=1e-5)


@pytest.mark.tensorflow
def test_converters_say_nothing_and_leave_nothing_beside(model, tmp_path, capfd):
    deploy.export(model, tmp_path, ["float16"])
    deploy.run_exported(tmp_path / "float16.tflite")
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["float16.tflite"]


def test_what_cannot_be_exported_or_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no format 'int4'"):
        deploy.export(None, tmp_path, ["int4"])
    with pytest.raises(ValueError, match="training part"):
        deploy.export(None, tmp_path, ["int8_full"])
    with pytest.raises(FileNotFoundError, match=r"deploy\.export"):
        deploy.run_exported(tmp_path / "none.tflite")
    (tmp_path / "a.txt").write_text("no model")
    with pytest.raises(ValueError, match="cannot be run"):
        deploy.run_exported(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="whole test set"):
        deploy.parity(None, [], np.zeros((0, SIZE, SIZE), np.uint8))


def test_latency_leaves_the_first_call_out():
    import time

    calls = []

    def slow_start(images):
        calls.append(images.shape)
        time.sleep(0.05 if len(calls) == 1 else 0.001)

    found = deploy.latency({"a": slow_start}, np.zeros((4, 4), np.uint8), repeats=5, warm=2).iloc[0]
    assert found["first_ms"] >= 50 > found["median_ms"] >= found["fastest_ms"] >= 1
    assert calls == [(1, 4, 4)] * 8
    assert found["repeats"] == 5


# --- bundle ---------------------------------------------------------------------------------------


@pytest.fixture
def bundle(model, tmp_path):
    settings = {"temperature": 2.0, "positive": "covid", "threshold": 0.4, "card": "# A card"}
    settings |= {
        "trained_on": "60 drawn\nimages.",
        "threshold_meaning": "the largest that\nfinds 9 of 10 covid.",
    }
    return deploy.save_bundle(
        tmp_path / "bundle", model, classes=CLASSES, preprocessing=PREPARED, **settings
    )


@pytest.fixture
def film(tmp_path):
    """A wide grey picture, darker to the left."""
    grey = np.tile(np.linspace(0, 255, 60), (40, 1)).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "film.png")
    return tmp_path / "film.png"


@pytest.mark.tensorflow
def test_a_bundle_comes_back_as_it_was_written(bundle, model):
    found = deploy.load_bundle(bundle)
    assert (found.classes, found.preprocessing, found.temperature) == (CLASSES, PREPARED, 2.0)
    assert (found.positive, found.threshold, found.card) == ("covid", 0.4, "# A card")
    assert (found.trained_on, found.threshold_meaning) == (
        "60 drawn images",
        "the largest that finds 9 of 10 covid",
    )
    for mine, yours in zip(found.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, yours)
    listed = (bundle / "SHA256SUMS").read_text().split()[1::2]
    assert listed == ["card.md", "model.keras", "settings.json"]
    assert json.loads((bundle / "settings.json").read_text())["classes"] == list(CLASSES)
    assert deploy.load_bundle(bundle, sha256=found.sha256).sha256 == found.sha256
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


def resettled(bundle, change):
    """The bundle with other settings and a list of hashes that fits them."""
    old = (bundle / "settings.json").read_bytes()
    new = json.dumps(change(json.loads(old))).encode()
    (bundle / "settings.json").write_bytes(new)
    digests = [hashlib.sha256(content).hexdigest() for content in (old, new)]
    (bundle / "SHA256SUMS").write_text((bundle / "SHA256SUMS").read_text().replace(*digests))
    return bundle


@pytest.mark.tensorflow
def test_an_older_bundle_opens_and_the_page_says_what_it_does_not_know(bundle, film):
    later = ("trained_on", "threshold_meaning", "full_scale")
    older = resettled(
        bundle, lambda new: {k: v for k, v in new.items() if k not in later} | {"version": 1}
    )
    found = deploy.load_bundle(older)
    assert (found.trained_on, found.threshold_meaning, found.threshold) == ("", "", 0.4)
    page, _ = deploy.upload_report(found, "film.png", film.read_bytes())
    assert "What the network was trained on is unknown: the bundle does not say." in page
    assert "What this threshold means is unknown: the bundle does not say." in page
    with pytest.raises(deploy.BundleError, match="newer version"):
        deploy.load_bundle(resettled(bundle, lambda old: old | {"version": 4}))


@pytest.mark.tensorflow
def test_what_only_training_needs_is_left_out(tmp_path):
    trained = network()
    trained.compile("adam", "categorical_crossentropy")
    trained.optimizer.build(trained.trainable_variables)
    deploy.save_bundle(tmp_path / "b", trained, classes=CLASSES, preprocessing=PREPARED)
    assert trained.optimizer is not None
    assert getattr(deploy.load_bundle(tmp_path / "b").model, "optimizer", None) is None


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["model.keras", "settings.json", "card.md", "SHA256SUMS"])
def test_a_changed_file_is_refused_by_name(bundle, name):
    known = deploy.load_bundle(bundle).sha256
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content.replace(b"2.0", b"9.0") + b" ")
    with pytest.raises(deploy.BundleError, match=name):
        deploy.load_bundle(bundle, sha256=known)
    (bundle / name).unlink()
    with pytest.raises(deploy.BundleError, match=name):
        deploy.load_bundle(bundle)


@pytest.mark.tensorflow
def test_who_rewrites_the_hashes_too_is_found_by_the_known_version(bundle):
    known = deploy.load_bundle(bundle).sha256
    resettled(bundle, lambda settings: settings | {"threshold": 0.9})
    assert deploy.load_bundle(bundle).threshold == 0.9
    with pytest.raises(deploy.BundleError, match="another version"):
        deploy.load_bundle(bundle, sha256=known)


@pytest.mark.tensorflow
def test_a_planted_gate_and_a_model_with_code_are_refused(bundle, tmp_path):
    import keras

    (bundle / "gate.npz").write_bytes(b"planted")
    with pytest.raises(deploy.BundleError, match=r"gate\.npz is not in the list"):
        deploy.load_bundle(bundle)
    code = keras.Sequential(
        [keras.Input((SIZE, SIZE, 1)), keras.layers.Lambda(lambda x: x[:, 0, :3, 0])]
    )
    with pytest.raises(deploy.BundleError, match="safe mode"):
        deploy.save_bundle(tmp_path / "code", code, classes=CLASSES, preprocessing=PREPARED)
    (bundle / "gate.npz").unlink()
    old = hashlib.sha256((bundle / "model.keras").read_bytes()).hexdigest()
    code.save(bundle / "model.keras")
    sums = (bundle / "SHA256SUMS").read_text()
    (bundle / "SHA256SUMS").write_text(
        sums.replace(old, hashlib.sha256((bundle / "model.keras").read_bytes()).hexdigest())
    )
    with pytest.raises(deploy.BundleError, match="safe mode"):
        deploy.load_bundle(bundle)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


@pytest.mark.tensorflow
def test_settings_that_do_not_fit_are_refused_and_nothing_is_written(model, tmp_path):
    fits = {"classes": CLASSES, "preprocessing": PREPARED}
    wrong = [
        ({"classes": CLASSES[:2]}, "3 output"),
        ({"preprocessing": {"size": 64, "fit": "pad", "contrast": None}}, "64 px"),
        ({"preprocessing": {"size": SIZE}}, "size, fit and contrast"),
        ({"preprocessing": PREPARED | {"fit": "stretch"}}, "fit must be"),
        ({"positive": "covid"}, "go together"),
        ({"positive": "flu", "threshold": 0.5}, "one of normal"),
        ({"threshold_meaning": "chosen with care"}, "give positive and threshold"),
    ]
    for settings, message in wrong:
        with pytest.raises(ValueError, match=message):
            deploy.save_bundle(tmp_path / "b", model, **(fits | settings))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other files"):
        deploy.save_bundle(tmp_path / "full", model, **fits)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "thesis.txt"]
    with pytest.raises(deploy.BundleError, match="is no bundle"):
        deploy.load_bundle(tmp_path / "full")


@pytest.mark.tensorflow
def test_a_second_bundle_replaces_the_first(bundle, model):
    deploy.save_bundle(bundle, model, classes=("a", "b", "c"), preprocessing=PREPARED)
    assert deploy.load_bundle(bundle).classes == ("a", "b", "c")
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


# --- the answer -----------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_an_answer_is_the_networks_at_the_bundles_temperature(bundle, film, model):
    found = deploy.answer(deploy.load_bundle(bundle), film)
    grey = preprocess.prepare(np.asarray(Image.open(film), np.float32) / 255, SIZE)
    np.testing.assert_array_equal(found["image"], grey)
    raw = deploy.keras_runner(model)(grey[None])[0]
    expected = np.sqrt(raw) / np.sqrt(raw).sum()  # temperature 2
    np.testing.assert_allclose([found["probabilities"][c] for c in CLASSES], expected, atol=1e-6)
    assert found["accepted"]
    assert found["predicted"] == CLASSES[raw.argmax()]
    assert list(deploy.score(deploy.load_bundle(bundle), grey[None])) == [
        "image_id",
        "predicted",
        *(f"p_{name}" for name in CLASSES),
    ]
    assert found["called_positive"] == (expected[1] >= 0.4)
    assert found["map"].shape == (SIZE, SIZE)
    assert found["map"].min() >= 0
    assert "not for diagnosis" in found["note"]


@pytest.mark.tensorflow
def test_bytes_and_path_give_the_same_answer(bundle, film):
    ready = deploy.load_bundle(bundle)
    by_path, by_bytes = (
        deploy.answer(ready, film),
        deploy.answer(ready, film.read_bytes(), name="film.png"),
    )
    assert by_path["probabilities"] == by_bytes["probabilities"]
    assert by_path["file"] == by_bytes["file"] == "film.png"


@pytest.mark.tensorflow
def test_a_file_that_is_no_image_gets_a_reason_and_no_probability(bundle, film, tmp_path):
    (tmp_path / "x.png").write_bytes(b"PK\x03\x04 not a picture")
    ready = deploy.load_bundle(bundle)
    assert deploy.answer(ready, film)["accepted"]
    for name, reason in (("x.png", "a zip archive"), ("none.png", "does not exist")):
        found = deploy.answer(ready, tmp_path / name)
        assert not found["accepted"]
        assert reason in found["reason"]
        assert not found["probabilities"]


@pytest.fixture
def gated(model, tmp_path):
    """A bundle whose gate and sets are fitted: on smooth ramps of grey, bright to the right."""
    rng = np.random.default_rng(1)
    ramps = (
        np.linspace(0, 200, SIZE)
        + np.zeros((60, SIZE, 1))
        + rng.normal(0, 8, (60, SIZE, SIZE))
        + 25
    )
    ramps = np.clip(ramps, 0, 255).astype(np.uint8)
    gate = uncertainty.fit_gate(ramps[:30], ramps[30:])
    settings = {"classes": CLASSES, "preprocessing": PREPARED, "gate": gate, "conformal_limit": 0.7}
    return (
        deploy.load_bundle(deploy.save_bundle(tmp_path / "gated", model, **settings)),
        ramps,
        gate,
    )


def png(array):
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


@pytest.mark.tensorflow
def test_the_gate_comes_back_and_a_refused_image_gets_a_reason_and_no_answer(gated):
    bundle, ramps, gate = gated
    for name, value in uncertainty.gate_to_dict(gate).items():
        np.testing.assert_array_equal(uncertainty.gate_to_dict(bundle.gate)[name], value)
    found = deploy.answer(bundle, png(255 - ramps[30]))
    assert not found["accepted"]
    why = uncertainty.gate_scores(gate, 255 - ramps[30:31])["reason"][0]
    assert re.search(rf"refuses the image: {why} \(score .*, accepted up to", found["reason"])
    assert found["gate_score"] > gate.limit
    assert (found["probabilities"], found["set"], found["map"]) == ({}, (), None)


@pytest.mark.tensorflow
def test_the_set_holds_the_classes_within_the_limit(gated):
    bundle, ramps, gate = gated
    clean = np.flatnonzero(uncertainty.gate_scores(gate, ramps[30:])["accepted"])
    found = deploy.answer(bundle, png(ramps[30 + clean[0]]))
    assert found["accepted"]
    assert found["set"] == tuple(c for c in CLASSES if 1 - found["probabilities"][c] <= 0.7)
    assert found["called_positive"] is None


# --- upload ---------------------------------------------------------------------------------------


def test_uploads_of_both_versions_of_ipywidgets_are_read_alike():
    seven = {"a.png": {"metadata": {"name": "a.png", "size": 2}, "content": b"xy"}}
    eight = (
        {
            "name": "a.png",
            "type": "image/png",
            "size": 2,
            "content": memoryview(b"xy"),
            "last_modified": None,
        },
    )
    assert deploy.uploaded(seven) == deploy.uploaded(eight) == [("a.png", b"xy")]
    assert deploy.uploaded({}) == deploy.uploaded(()) == []


def sentences(page):
    """The lines of a page as a reader sees them."""
    return [html.unescape(re.sub(r"<[^>]*>", "", line)) for line in page.split("<br>")]


@pytest.mark.tensorflow
def test_a_report_says_in_plain_words_what_an_answer_rests_on(bundle, film):
    ready = replace(deploy.load_bundle(bundle), conformal_limit=0.99)
    page, found = deploy.upload_report(ready, "film.png", film.read_bytes())
    called = "yes" if found["called_positive"] else "no"
    shares = ", ".join(f"{name} {p:.2f}" for name, p in found["probabilities"].items())
    assert sentences(page) == [
        "film.png",
        "The network was trained on 60 drawn images.",
        f"Called covid from a probability of 0.40 on: {called}. "
        "This threshold is the largest that finds 9 of 10 covid.",
        f"Cannot be excluded: {', '.join(found['set'])}.",
        f"Most probable: {found['predicted']}. Probabilities: {shares}.",
        "Educational, not for diagnosis.",
    ]
    assert found["set"]
    for threshold, called in ((0.001, "yes"), (0.999, "no")):
        other = replace(ready, positive=ready.classes[0], threshold=threshold)
        judged, _ = deploy.upload_report(other, "film.png", film.read_bytes())
        assert (
            f"Called {ready.classes[0]} from a probability of {threshold:.2f} on: {called}."
            in judged
        )
    strict = deploy.upload_report(
        replace(ready, conformal_limit=0.0), "film.png", film.read_bytes()
    )[0]
    assert "The set is empty: no class is likely enough." in strict
    without = replace(ready, conformal_limit=None, positive=None, threshold=None)
    page, _ = deploy.upload_report(without, "film.png", film.read_bytes())
    assert (
        "Cannot be excluded: normal, covid, viral. (Every class: the bundle holds no limit for "
        "sets.)" in page
    )
    assert "threshold" not in page


@pytest.mark.tensorflow
def test_a_report_escapes_names_and_refuses_what_is_too_large(bundle, film):
    ready, name = deploy.load_bundle(bundle), "<img src=x onerror=alert(1)>.png"
    sly = replace(
        ready, trained_on="<b>all</b>", classes=("normal", "<i>covid", "viral"), positive="<i>covid"
    )
    for known in (ready, sly):
        page, found = deploy.upload_report(known, name, film.read_bytes())
        assert found["accepted"]
        assert set(re.findall("<[^>]*>", page)) == {"<b>", "</b>", "<br>", "<i>", "</i>"}
        assert (page.count("<b>"), page.count("<i>")) == (1, 1)
        assert sentences(page)[0] == name
    page, found = deploy.upload_report(ready, name, b"0" * 2_000_001, max_bytes=2_000_000)
    assert not found["accepted"]
    assert "2.0 MB; at most 2 MB" in page
    assert "<img" not in page
    page, found = deploy.upload_report(ready, "large.dcm", bytes(30_000_001))
    assert "The file has 30.0 MB; at most 30 MB are accepted." in page
    assert "not an image" in deploy.upload_report(ready, "large.png", bytes(30_000_000))[0]
    page, found = deploy.upload_report(ready, "notes.txt", b"hello")
    assert not found["accepted"]
    assert "not an image" in page


class Desk:
    """An upload widget as the browser drives it, with everything that was shown, in order."""

    def __init__(self, bundle, **settings):
        self.box = deploy.upload_widget(bundle, **settings)
        self.button, self.limit, self.reading, self.answers = self.box.children
        self.seen = []
        self.reading.observe(lambda change: self.seen.append(self.shown()), names="value")

    def shown(self):
        return [
            sentences(self.reading.value)[0],
            *(sentences(part.value)[0] for part in self.answers.children),
        ]

    def choose(self, **files):
        """What the browser sends for chosen files, by bare name; ipywidgets 7 and 8."""
        files = {f"{name}.png": content for name, content in files.items()}
        if self.button.has_trait("_counter"):
            data = [
                {"name": name, "type": "image/png", "size": len(c), "lastModified": 0}
                for name, c in files.items()
            ]
            counter = self.button._counter + len(files)
            state = {
                "metadata": data,
                "data": [memoryview(c) for c in files.values()],
                "_counter": counter,
            }
        else:
            rest = {"type": "image/png", "last_modified": 0}
            state = {
                "value": [
                    {"name": n, "size": len(c), "content": memoryview(c), **rest}
                    for n, c in files.items()
                ]
            }
        self.button.set_state(state | {"error": ""})


class Drawn:
    """A picture as `plots.answer` makes them."""

    def __init__(self, found):
        self.alt = f'covid > normal "{found["file"]}"'

    def png(self):
        return b"\x89PNG"


@pytest.fixture
def desk(bundle):
    pytest.importorskip("ipywidgets")
    return Desk(deploy.load_bundle(bundle), picture=Drawn)


@pytest.mark.tensorflow
def test_the_widget_answers_an_upload_by_text_and_a_picture_with_alt_text(desk, film):
    desk.choose(film=film.read_bytes())
    text, picture = (part.value for part in desk.answers.children)
    assert sentences(text)[0] == "film.png"
    assert re.search(r"covid 0\.\d\d", text)
    alt, source = re.fullmatch(
        r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)"[^>]*>', picture
    ).groups()
    assert html.unescape(alt) == 'covid > normal "film.png"'
    assert base64.b64decode(source) == b"\x89PNG"
    beside = sentences(desk.limit.value)[0].replace("\xa0", " ")
    assert (
        "up to 30 MB each. In a JupyterLab that make lab did not start, more than 10 MB at a time "
        "are lost" in beside
    )


@pytest.mark.tensorflow
def test_an_earlier_answer_goes_before_the_next_file_is_read(desk, film):
    desk.choose(first=film.read_bytes())
    desk.choose(second=b"no image")
    answered = ["", "first.png", ""]  # text, and a picture without text
    assert desk.seen == [
        ["Reading first.png ..."],
        answered,
        ["Reading second.png ..."],
        ["", "second.png"],
    ]
    assert "not an image" in desk.answers.children[0].value


@pytest.mark.tensorflow
def test_the_same_file_twice_is_answered_twice(desk):
    for _ in range(2):
        desk.choose(notes=b"no image")
    assert desk.seen == 2 * [["Reading notes.png ..."], ["", "notes.png"]]


@pytest.mark.tensorflow
def test_several_files_are_answered_in_their_order(desk, film):
    desk.choose(b=film.read_bytes(), a=b"no image", c=film.read_bytes())
    read = [status for status, *_ in desk.seen]
    assert read == [
        "Reading b.png (1 of 3) ...",
        "Reading a.png (2 of 3) ...",
        "Reading c.png (3 of 3) ...",
        "",
    ]
    assert desk.shown() == ["", "b.png", "", "a.png", "c.png", ""]


@pytest.mark.tensorflow
def test_any_error_becomes_a_sentence_and_no_earlier_answer_stays(
    bundle, film, monkeypatch, caplog
):
    pytest.importorskip("ipywidgets")
    ready = deploy.load_bundle(bundle)
    desk = Desk(ready)
    desk.choose(good=film.read_bytes())
    for error in (RuntimeError("out of <order>"), MemoryError("no room"), KeyboardInterrupt()):
        with monkeypatch.context() as patched:
            patched.setattr("cxr_helpers.deploy._widget.answer", Mock(side_effect=error))
            desk.choose(bad=film.read_bytes())
        (part,) = desk.answers.children
        assert desk.reading.value.endswith("></div>")
        said = (
            "No answer: the work on this file ended in an error. "
            + f"{type(error).__name__}: {error}"
        )
        assert sentences(part.value) == ["bad.png", said, "Educational, not for diagnosis."]
        assert caplog.records[-1].exc_info[1] is error
    undrawn = Desk(ready, picture=Mock(side_effect=ValueError("no ink")))
    undrawn.choose(good=film.read_bytes())
    text, reason = (part.value for part in undrawn.answers.children)
    assert "Most probable" in text
    assert "The answer could not be drawn. ValueError: no ink" in reason


@pytest.mark.tensorflow
def test_what_the_browser_sent_wrongly_becomes_a_sentence_too(desk, film, monkeypatch):
    desk.choose(good=film.read_bytes())
    monkeypatch.setattr(
        "cxr_helpers.deploy._widget.uploaded", Mock(side_effect=KeyError("content"))
    )
    desk.choose(bad=film.read_bytes())
    (part,) = desk.answers.children
    assert "What the browser sent cannot be read. KeyError: 'content'" in sentences(part.value)[1]


@pytest.mark.tensorflow
def test_of_two_choices_the_last_one_stays_and_nothing_is_mixed(desk, film, monkeypatch):
    """The second is made while the first is answered, as where messages come in threads."""
    from cxr_helpers.deploy import _widget

    answer = _widget.answer

    def interrupted(bundle, content, name):
        if name == "a.png":
            second = threading.Thread(
                target=desk.choose, kwargs={"x": b"no image", "y": film.read_bytes()}
            )
            second.start()
            second.join(timeout=30)
        return answer(bundle, content, name=name)

    monkeypatch.setattr(_widget, "answer", interrupted)
    desk.choose(a=film.read_bytes(), b=film.read_bytes())
    assert desk.shown() == ["", "x.png", "y.png", ""]
    assert [shown[1:] for shown in desk.seen if "a.png" in shown or "b.png" in shown] == []


# --- the card -------------------------------------------------------------------------------------


def rows(start, n, label="covid"):
    names = [f"i{k}" for k in range(start, start + n)]
    filled = {"label": label, "source": "A", "licence": "CC0-1.0", "patient": names}
    return pd.DataFrame({"image_id": names, "group": names, **filled})


@pytest.fixture
def evidence():
    figures = {
        "value": [0.9],
        "low": [0.8],
        "high": [0.95],
        "n": [50],
        "groups": [40],
        "method": ["bootstrap"],
    }
    table = pd.DataFrame({"metric": ["sensitivity"], "class": ["covid"], **figures})
    return {
        "details": dict.fromkeys(
            ("name", "version", "date", "architecture", "parameters", "input", "licence"), "x"
        )
        | {"contact": "the course"},
        "intended": {
            "use": "teaching",
            "users": "students",
            "out of scope": "any decision about a patient",
        },
        "factors": "Site, age; pregnancy was not examined.",
        "decision": {
            "positive": "covid",
            "threshold": 0.31,
            "chosen on": "val",
            "why": "sensitivity 0.95",
        },
        "training": rows(0, 30),
        "evaluation": rows(100, 20, "normal"),
        "results": table,
        "subgroups": {"source": table.rename(columns={"metric": "source"})},
        "calibration": table.assign(metric="ece"),
        "gate": table.assign(metric="inverted"),
        "ethics": "Phantoms are nobody.",
        "caveats": ["Phantoms only."],
    }


SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


def test_a_card_has_the_nine_sections_and_every_figure_with_interval_and_n(evidence):
    card = deploy.model_card(**evidence)
    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == SECTIONS
    assert "| sensitivity | covid | 0.900 | 0.800-0.950 | 50 | 40 |" in card
    assert "30 in 30 groups, 30 known patients" in card
    assert "20 normal" in card
    assert "at least 0.310; the threshold was chosen on val" in card
    assert card.count("not for diagnosis") == 2
    assert "**Intervals**: 95 %, bootstrap\n" in card
    mixed = evidence | {"gate": evidence["gate"].assign(method="Wilson")}
    assert "**Intervals**: 95 %, bootstrap, Wilson\n" in deploy.model_card(**mixed)


def test_everything_that_is_missing_is_named_at_once(evidence):
    with pytest.raises(deploy.CardError) as error:
        deploy.model_card()
    assert all(f"- {name} is missing" in str(error.value) for name in evidence)
    for name in evidence:
        with pytest.raises(deploy.CardError, match=f"- {name} is missing"):
            deploy.model_card(**{k: v for k, v in evidence.items() if k != name})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("results", lambda t: t.drop(columns=["low", "high"]), "results has no column low, high"),
        ("calibration", lambda t: t.assign(n=np.nan), "calibration: ece has a value without"),
        (
            "subgroups",
            lambda d: {"site": d["source"].drop(columns="n")},
            "subgroups by site has no column n",
        ),
        ("details", lambda d: d | {"version": " "}, "details lacks version"),
        ("decision", lambda d: d | {"chosen on": "test"}, "chosen on test"),
        ("evaluation", lambda t: rows(25, 20), "share 5 image_id"),
        ("evaluation", lambda t: t.assign(group="i3"), r"share 1 group\(s\), such as i3"),
        ("training", lambda t: t.drop(columns="group"), "training has no column group"),
    ],
)
def test_what_contradicts_itself_is_refused(evidence, name, change, message):
    with pytest.raises(deploy.CardError, match=message):
        deploy.model_card(**(evidence | {name: change(evidence[name])}))


def test_an_undefined_figure_may_stand_and_foreign_text_stays_text(evidence):
    undefined = evidence["results"].assign(value=np.nan, low=np.nan, high=np.nan)
    card = deploy.model_card(**(evidence | {"results": undefined}))
    assert "| undefined | none | 50 |" in card
    sly = evidence["details"] | {"name": "a\n## Intended use\n<b>|"}
    card = deploy.model_card(**(evidence | {"details": sly}))
    assert re.findall(r"^## (.+)$", card, re.MULTILINE) == SECTIONS
    assert "<b>" not in card
