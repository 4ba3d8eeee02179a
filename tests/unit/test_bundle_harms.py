"""A bundle that was damaged or written by others is refused at load, with the file's name."""

import hashlib
import io
import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import calibrate, deploy, manifest, preprocess, train, uncertainty

SIZE, CLASSES = 32, ("normal", "covid", "viral")
PREPARED = {"size": SIZE, "fit": "pad", "contrast": None}
pytestmark = pytest.mark.tensorflow


def network(activation="softmax", seed=0, units=3):
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    body = [
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 5, strides=3, activation="relu"),
        layers.Flatten(),
    ]
    head = layers.Dense(units, activation, kernel_initializer="random_normal")
    model = keras.Sequential([keras.Input((SIZE, SIZE, 1)), *body, head], name="net")
    head.kernel.assign(head.kernel * 10)
    return model


@pytest.fixture(scope="module")
def gate():
    rng = np.random.default_rng(1)
    ramps = (
        np.linspace(0, 200, SIZE)
        + np.zeros((60, SIZE, 1))
        + rng.normal(0, 8, (60, SIZE, SIZE))
        + 25
    )
    ramps = np.clip(ramps, 0, 255).astype(np.uint8)
    return uncertainty.fit_gate(ramps[:30], ramps[30:])


@pytest.fixture(scope="module")
def sound(gate, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "bundle"
    settings = {
        "temperature": 2.0,
        "positive": "covid",
        "threshold": 0.4,
        "conformal_limit": 0.7,
        "card": "# A card",
    }
    settings |= {
        "trained_on": "drawn images",
        "threshold_meaning": "the largest that finds 9 of 10",
    }
    deploy.save_bundle(
        folder, network(), classes=CLASSES, preprocessing=PREPARED, gate=gate, **settings
    )
    deploy.load_bundle(folder)
    return folder


def rehashed(folder):
    """The list of hashes as somebody writes it who knows how."""
    names = sorted(p.name for p in folder.iterdir() if p.name != "SHA256SUMS")
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def setting(**changes):
    def harm(folder):
        settings = json.loads((folder / "settings.json").read_text())
        for name, value in changes.items():
            if value is ...:
                del settings[name]
            else:
                settings[name] = value
        (folder / "settings.json").write_text(json.dumps(settings))
        rehashed(folder)

    return harm


def prepared(**changes):
    return setting(preprocessing=PREPARED | changes)


def text(name, content):
    def harm(folder):
        (folder / name).write_bytes(content)
        rehashed(folder)

    return harm


def replaced(old, new):
    def harm(folder):
        content = (folder / "settings.json").read_text()
        assert old in content
        (folder / "settings.json").write_text(content.replace(old, new))
        rehashed(folder)

    return harm


def sums(change):
    def harm(folder):
        (folder / "SHA256SUMS").write_bytes(change((folder / "SHA256SUMS").read_bytes()))

    return harm


def gated(**changes):
    def harm(folder):
        with np.load(folder / "gate.npz") as arrays:
            found = {**arrays}
        for name, value in changes.items():
            if value is ...:
                del found[name]
            else:
                found[name] = value(found[name]) if callable(value) else value
        np.savez(folder / "gate.npz", **found)
        rehashed(folder)

    return harm


def modelled(make):
    def harm(folder):
        make().save(folder / "model.keras")
        rehashed(folder)

    return harm


def with_nan():
    model = network()
    weights = model.get_weights()
    weights[0][0] = np.nan
    model.set_weights(weights)
    return model


def swelling(name):
    """A small file that says it holds more than such a file can have."""

    def harm(folder):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
            for k in range(3):
                packed.writestr(f"{k}.npy", bytes(20_000_000))
        (folder / name).write_bytes(content.getvalue())
        rehashed(folder)

    return harm


def truncated(name):
    def harm(folder):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        rehashed(folder)

    return harm


HARMS = {  # name: (what is done to a sound bundle, what the message says)
    "no such folder": (lambda f: shutil.rmtree(f), "is no bundle"),
    "a file in place of the folder": (
        lambda f: (shutil.rmtree(f), f.write_text("x")),
        "is no bundle",
    ),
    "model missing": (lambda f: (f / "model.keras").unlink(), r"model\.keras is missing"),
    "settings missing": (lambda f: (f / "settings.json").unlink(), r"settings\.json is missing"),
    "gate missing": (lambda f: (f / "gate.npz").unlink(), r"gate\.npz is missing"),
    "card missing": (lambda f: (f / "card.md").unlink(), r"card\.md is missing"),
    "list missing": (lambda f: (f / "SHA256SUMS").unlink(), "is no bundle"),
    "folder in place of the card": (
        lambda f: ((f / "card.md").unlink(), (f / "card.md").mkdir()),
        "is missing",
    ),
    "foreign file": (lambda f: (f / "notes.txt").write_text("x"), r"notes\.txt is not in the list"),
    "foreign folder": (lambda f: (f / "old").mkdir(), "old is not in the list"),
    "card changed": (lambda f: (f / "card.md").write_text("other"), r"card\.md .* changed after"),
    "one bit of the model": (
        lambda f: (f / "model.keras").write_bytes((f / "model.keras").read_bytes()[:-1] + b"\0\0"),
        r"model\.keras .* changed after",
    ),
    "list empty": (sums(lambda c: b""), "does not list"),
    "list with a wrong hash": (sums(lambda c: b"0" * 64 + c[64:]), "changed after"),
    "list with capitals": (sums(lambda c: c.upper()), "no list of hashes"),
    "list with Windows ends": (sums(lambda c: c.replace(b"\n", b"\r\n")), "no list of hashes"),
    "list with a name twice": (sums(lambda c: c + c), "no list of hashes"),
    "list with a path": (sums(lambda c: c.replace(b"card.md", b"../card.md")), "no list of hashes"),
    "list with a foreign name": (sums(lambda c: c + b"0" * 64 + b"  more.txt\n"), "does not list"),
    "list without the gate": (
        sums(lambda c: b"".join(line for line in c.splitlines(True) if b"gate" not in line)),
        r"gate\.npz is not in the list",
    ),
    "list of binary": (sums(lambda c: b"\xff\xfe\x00"), "no list of hashes"),
    "list too long": (sums(lambda c: c * 200), "more than"),
    "settings no JSON": (
        text("settings.json", b"classes: normal"),
        r"settings\.json: Expecting value",
    ),
    "settings cut": (truncated("settings.json"), r"settings\.json: "),
    "settings empty": (text("settings.json", b""), r"settings\.json: "),
    "settings a list": (text("settings.json", b"[1, 2]"), "no object"),
    "settings UTF-16": (text("settings.json", "{}".encode("utf-16")), r"settings\.json: .*decode"),
    "settings nested": (text("settings.json", b"[" * 20_000), r"settings\.json: "),
    "settings too large": (
        text("settings.json", b" " * 200_000),
        r"settings\.json holds 0\.2 MB, more than",
    ),
    "a key twice": (
        replaced('"temperature"', '"threshold": 0.9, "temperature"'),
        "stands there twice",
    ),
    "temperature NaN": (replaced('"temperature": 2.0', '"temperature": NaN'), "NaN is no number"),
    "temperature infinite": (
        replaced('"temperature": 2.0', '"temperature": Infinity'),
        "Infinity is no number",
    ),
    "temperature 1e999": (
        replaced('"temperature": 2.0', '"temperature": 1e999'),
        "temperature is a number from",
    ),
    "temperature 0": (setting(temperature=0), "temperature is a number from"),
    "temperature below 0": (setting(temperature=-1.5), "temperature is a number from"),
    "temperature as text": (setting(temperature="2.0"), "temperature is a number from"),
    "temperature true": (setting(temperature=True), "temperature is a number from"),
    "temperature none": (setting(temperature=None), "temperature is a number from"),
    "temperature missing": (setting(temperature=...), r"missing: \['temperature'\]"),
    "threshold 5": (setting(threshold=5), "threshold is a number from 0 to 1, not 5"),
    "threshold below 0": (setting(threshold=-0.1), "threshold is a number from 0 to 1"),
    "threshold as text": (setting(threshold="0.4"), "threshold is a number from 0 to 1"),
    "threshold a list": (setting(threshold=[0.4]), "threshold is a number from 0 to 1"),
    "threshold without class": (setting(positive=None), "go together"),
    "class without threshold": (setting(threshold=None), "go together"),
    "positive is no class": (setting(positive="flu"), "one of normal"),
    "positive is a number": (setting(positive=1), "one of normal"),
    "limit above 1": (setting(conformal_limit=1.5), "conformal_limit is a number"),
    "limit as text": (setting(conformal_limit="half"), "conformal_limit is a number"),
    "full scale 0": (setting(full_scale=0), "full_scale is a number from 1 to 65535, not 0"),
    "full scale of 17 bits": (setting(full_scale=131_071), "full_scale is a number"),
    "full scale as text": (setting(full_scale="4095"), "full_scale is a number"),
    "full scale true": (setting(full_scale=True), "full_scale is a number"),
    "full scale missing": (setting(full_scale=...), r"missing: \['full_scale'\]"),
    "classes too few": (setting(classes=["normal", "covid"]), r"3 output\(s\); 2 classes"),
    "classes too many": (setting(classes=[*CLASSES, "flu"]), r"3 output\(s\); 4 classes"),
    "a class twice": (setting(classes=["covid", "normal", "covid"]), "classes were named"),
    "a class twice but for a blank": (
        setting(classes=["covid", "normal", "covid "]),
        "classes were named",
    ),
    "a class without name": (setting(classes=["covid", "normal", " "]), "no name of a class"),
    "a class of two lines": (setting(classes=["covid", "normal", "vi\nral"]), "no name of a class"),
    "a class as number": (setting(classes=["covid", "normal", 2]), "no name of a class"),
    "classes as text": (setting(classes="abc"), "list of names"),
    "classes as object": (setting(classes={"0": "normal"}), "list of names"),
    "size of another model": (prepared(size=64), "64 px"),
    "size as text": (prepared(size="32"), "no whole number"),
    "size 32.0": (prepared(size=32.0), "no whole number"),
    "fit unknown": (prepared(fit="stretch"), "fit must be"),
    "contrast unknown": (prepared(contrast="gamma"), "contrast one of"),
    "fit a list": (prepared(fit=["pad"]), "fit must be"),
    "preprocessing with more": (prepared(invert=True), "size, fit and contrast"),
    "preprocessing a list": (setting(preprocessing=[32, "pad"]), "size, fit and contrast"),
    "another setting": (setting(invert=True), r"no bundle has: \['invert'\]"),
    "version as text": (setting(version="2"), "no version"),
    "version 0": (setting(version=0), "no version"),
    "version missing": (setting(version=...), "no version"),
    "version newer": (setting(version=99), "newer version"),
    "text that is none": (setting(trained_on=7), "trained_on is text"),
    "text of two lines": (setting(trained_on="all\nof it"), "trained_on is text"),
    "text too long": (setting(threshold_meaning="x" * 10_000), "threshold_meaning is text"),
    "card no text": (text("card.md", b"\xff\xfe\x00\x01"), r"card\.md: .*decode"),
    "card too large": (text("card.md", b"x" * 6_000_000), r"card\.md holds 6\.0 MB"),
    "gate no archive": (text("gate.npz", b"planted"), r"gate\.npz: "),
    "gate cut": (truncated("gate.npz"), r"gate\.npz: "),
    "gate swelling": (swelling("gate.npz"), r"gate\.npz holds 60\.0 MB"),
    "gate a single array": (
        lambda f: (
            np.save(f / "gate.npy", np.zeros(3)),
            (f / "gate.npy").replace(f / "gate.npz"),
            rehashed(f),
        ),
        r"gate\.npz: this is no gate",
    ),
    "gate pickled": (
        gated(mean=np.array([{}], object)),
        r"gate\.npz: Object arrays cannot be loaded",
    ),
    "gate without mean": (gated(mean=...), r"gate\.npz: this is no gate: mean missing"),
    "gate of another shape": (gated(mean=np.zeros(3)), r"gate\.npz: this is no gate: mean"),
    "gate with NaN": (gated(centre=lambda old: old * np.nan), "centre is not"),
    "gate with limit NaN": (gated(limit=np.nan), "limit is not"),
    "gate with limit of text": (gated(limit="high"), "limit is not"),
    "gate with spread 0": (gated(spread=np.zeros(3)), "not above 0"),
    "gate with variance below 0": (gated(variance=lambda old: -old), "not above 0"),
    "model no archive": (text("model.keras", b"planted"), r"model\.keras cannot be opened"),
    "model cut": (truncated("model.keras"), r"model\.keras cannot be opened"),
    "model another archive": (swelling("model.keras"), r"model\.keras cannot be opened"),
    "model of logits": (modelled(lambda: network(None)), r"model\.keras: .*raw numbers"),
    "model of sigmoids": (
        modelled(lambda: network("sigmoid")),
        r"model\.keras: .*independent sigmoids",
    ),
    "model of log-softmax": (
        modelled(lambda: network("log_softmax")),
        r"model\.keras: .*log_softmax",
    ),
    "model of two classes": (
        modelled(lambda: network("sigmoid", units=1)),
        r"1 output\(s\); 3 classes",
    ),
    "model with NaN": (modelled(with_nan), r"model\.keras: .*not finite"),
}


def test_there_are_enough_harms():
    assert len(HARMS) >= 45


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMS)
def test_a_harmed_bundle_is_refused_by_name(name, sound, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(sound, folder)
    harm, message = HARMS[name]
    harm(folder)
    with pytest.raises(deploy.BundleError, match=message) as raised:
        deploy.load_bundle(folder)
    assert len(str(raised.value)) < 1000


def test_hidden_files_of_a_file_manager_do_no_harm(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "bundle")
    (tmp_path / "bundle" / ".DS_Store").write_bytes(b"x")
    deploy.load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": np.nan}, "temperature is a number"),
        ({"temperature": 0}, "temperature is a number"),
        ({"temperature": np.inf}, "temperature is a number"),
        ({"temperature": None}, "temperature is a number"),
        ({"positive": "covid", "threshold": 5}, "threshold is a number from 0 to 1, not 5"),
        ({"positive": "covid", "threshold": np.nan}, "threshold is a number"),
        ({"positive": "covid", "threshold": True}, "threshold is a number"),
        ({"conformal_limit": np.inf}, "conformal_limit is a number"),
        ({"conformal_limit": -0.1}, "conformal_limit is a number"),
        ({"full_scale": np.nan}, "full_scale is a number"),
        ({"full_scale": 70_000}, "full_scale is a number"),
        ({"classes": "abc"}, "list of names"),
        ({"classes": ("normal", "covid", "")}, "no name of a class"),
        ({"classes": (0, "0", 1)}, "classes were named"),
        ({"preprocessing": PREPARED | {"size": 32.0}}, "no whole number"),
        ({"preprocessing": [32, "pad", None]}, "size, fit and contrast"),
        ({"trained_on": "x" * 1000}, "trained_on is text"),
        ({"gate": "spread"}, "not above 0"),
        ({"predictions": pd.DataFrame()}, "needs both"),
    ],
)
def test_what_load_refuses_is_not_saved(settings, message, gate, tmp_path):
    from dataclasses import replace

    if "gate" in settings:
        settings = {"gate": replace(gate, spread=np.zeros(3))}
    with pytest.raises(ValueError, match=message):
        deploy.save_bundle(
            tmp_path / "b",
            network(),
            **({"classes": CLASSES, "preprocessing": PREPARED} | settings),
        )
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_numbers(tmp_path):
    numbers = {"temperature": np.float32(1.5), "positive": "covid", "threshold": np.float64(0.25)}
    prepared = PREPARED | {"size": np.int64(SIZE)}
    found = deploy.load_bundle(
        deploy.save_bundle(
            tmp_path / "b", network(), classes=pd.Index(CLASSES), preprocessing=prepared, **numbers
        )
    )
    assert (found.temperature, found.threshold, found.preprocessing) == (1.5, 0.25, PREPARED)


def test_a_model_that_is_another_one_once_it_was_saved_is_not_kept(tmp_path, monkeypatch):
    others = iter([network(seed=1)])
    monkeypatch.setattr("cxr_helpers.deploy._bundle.open_model", lambda path: next(others))
    with pytest.raises(ValueError, match="answers otherwise once it was saved and opened"):
        deploy.save_bundle(tmp_path / "b", network(), classes=CLASSES, preprocessing=PREPARED)
    assert not list(tmp_path.iterdir())


# --- replay ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A model with its manifest of uneven images and its predictions of them."""
    root = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    rows = []
    for k in range(30):
        path = root / f"{k:02d}.png"
        grey = rng.integers(0, 80, (40, 60)) + np.linspace(0, 120, 60) * (k % 3)
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(
            {"image_id": path.name, "path": str(path), "sha256": digest, "label": CLASSES[k % 3]}
        )
    table = pd.DataFrame(rows).assign(
        group=None, patient=None, source=None, split="test", fold=None
    )
    table["label"] = pd.Categorical(table["label"], CLASSES)
    films = preprocess.cache(table, SIZE, folder=root / "cache", progress=False)
    model = train.name_classes(network(), CLASSES)
    return model, table, train.predict(model, table, films, split="test")


def saved(tmp_path, evaluated, **changes):
    model, table, predictions = evaluated
    settings = {
        "model": model,
        "classes": CLASSES,
        "preprocessing": PREPARED,
        "predictions": predictions,
    }
    settings |= {"table": table} | changes
    return deploy.save_bundle(tmp_path / "b", settings.pop("model"), **settings)


def test_a_bundle_that_answers_as_the_evaluation_did_is_kept(evaluated, tmp_path):
    served = calibrate.apply(evaluated[2], 1.7)
    bundle = deploy.load_bundle(saved(tmp_path, evaluated, predictions=served, temperature=1.7))
    assert train.class_names(bundle.model) == CLASSES
    saved(tmp_path, evaluated)


def renamed(predictions, names):
    swapped = predictions.rename(
        columns=dict(zip([f"p_{c}" for c in CLASSES], [f"p_{c}" for c in names], strict=True))
    )
    return swapped[
        [*swapped.columns.drop([f"p_{c}" for c in CLASSES]), *(f"p_{c}" for c in CLASSES)]
    ]


def brighter():
    """The same network for images that were divided by 255 already: the scaling is lost."""
    import keras

    model = keras.models.clone_model(network())
    model.set_weights(network().get_weights())
    model.layers[0].scale = 1.0
    return model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: {"preprocessing": PREPARED | {"fit": "squash"}},
            "does not answer as the evaluation did",
        ),
        (lambda p: {"preprocessing": PREPARED | {"fit": "crop"}}, "does not answer"),
        (lambda p: {"preprocessing": PREPARED | {"contrast": "equalize"}}, "does not answer"),
        (lambda p: {"preprocessing": PREPARED | {"contrast": "clahe"}}, "does not answer"),
        (lambda p: {"model": network(seed=1)}, r"on 16 of 16 images"),
        (lambda p: {"model": brighter()}, "what scales the image"),
        (lambda p: {"temperature": 2.0}, "as before the temperature: give calibrate.apply"),
        (
            lambda p: {"classes": CLASSES[::-1]},
            "trained on the classes normal, covid, viral, in this order",
        ),
        (
            lambda p: {"model": network(), "classes": CLASSES[::-1]},
            "predictions are of the classes normal",
        ),
        (lambda p: {"predictions": renamed(p, CLASSES[::-1])}, "order of the classes"),
        (lambda p: {"predictions": p.assign(image_id="x" + p["image_id"])}, "no image 'x00.png'"),
        (lambda p: {"predictions": p[:0]}, "no row"),
    ],
)
def test_a_bundle_that_answers_otherwise_is_not_kept(change, message, evaluated, tmp_path):
    with pytest.raises(ValueError, match=message):
        saved(tmp_path, evaluated, **change(evaluated[2]))
    assert not list(tmp_path.iterdir())


# --- the scale of the training images is the scale of serving -------------------------------------


@pytest.fixture(scope="module")
def twelve_bits(tmp_path_factory):
    """12-bit images in 16-bit files, half of them dark, with a model and its predictions."""
    root = tmp_path_factory.mktemp("twelve")
    rng = np.random.default_rng(0)
    for k in range(12):
        path = root / "set" / ("covid", "normal")[k % 2] / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # alone, the dark ones are 8 bits
        grey = rng.integers(0, 4096, (SIZE, SIZE)) // (1 if k < 6 else 20)
        Image.fromarray(grey.astype(np.uint16)).save(path)
    table = manifest.from_folder(root / "set", progress=False).table.assign(split="test")
    films = preprocess.cache(table, SIZE, folder=root / "cache", progress=False)
    model = train.name_classes(network(units=2), ("normal", "covid"))
    return model, table, train.predict(model, table, films, split="test")


def kept(folder, of, **settings):
    model, table, predictions = of
    given = {
        "classes": ("normal", "covid"),
        "preprocessing": PREPARED,
        "predictions": predictions,
        "table": table,
    }
    return deploy.load_bundle(deploy.save_bundle(folder / "b", model, **(given | settings)))


def test_a_bundle_reads_on_the_scale_of_its_training_images(twelve_bits, tmp_path):
    _, table, predictions = twelve_bits
    bundle = kept(tmp_path, twelve_bits)
    assert bundle.full_scale == 4095
    answered = [deploy.answer(bundle, path)["probabilities"]["covid"] for path in table["path"]]
    np.testing.assert_allclose(answered, predictions["p_covid"], atol=1e-5)
    alone = kept(tmp_path, twelve_bits, predictions=None, table=None, full_scale=4095)
    assert [
        deploy.answer(alone, path)["probabilities"]["covid"] for path in table["path"]
    ] == answered


@pytest.mark.filterwarnings("ignore::cxr_helpers.images.ImageWarning")
@pytest.mark.parametrize("full_scale", [None, 65_535, 16_383])
def test_without_it_the_replay_would_differ(full_scale, twelve_bits, tmp_path):
    model, table, predictions = twelve_bits
    other = table.drop(columns="full_scale")
    with pytest.raises(ValueError, match="does not answer as the evaluation did"):
        kept(tmp_path, (model, other, predictions), full_scale=full_scale)
    if full_scale:
        with pytest.raises(ValueError, match=r"several full scales \(4,095, "):
            kept(tmp_path, twelve_bits, full_scale=full_scale)


@pytest.mark.parametrize(
    ("pixels", "accepted"),
    [
        (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) * 4, True),
        (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) * 60, False),  # 16 bits: of another kind
        (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) // 8, True),
    ],
)
def test_a_file_that_is_no_such_image_is_refused_in_words(pixels, accepted, twelve_bits, tmp_path):
    Image.fromarray(pixels.astype(np.uint16)).save(tmp_path / "new.png")
    found = deploy.answer(kept(tmp_path, twelve_bits), tmp_path / "new.png", explained=False)
    assert found["accepted"] == accepted
    if accepted:
        assert found["image"].max() == round(pixels.max() / 4095 * 255)
    else:
        assert "above the full scale of 4,095" in found["reason"]


def test_a_bundle_of_version_2_has_no_full_scale(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "bundle")
    setting(version=2, full_scale=...)(tmp_path / "bundle")
    assert deploy.load_bundle(tmp_path / "bundle").full_scale is None
