"""What the machine says: consoles without arrows, drives without locks, a Keras set otherwise."""

import errno
import io
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from cxr_helpers import deploy, pipeline, train
from cxr_helpers.console import plain_output
from cxr_helpers.files import one_at_a_time
from tests import draw

# --- consoles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("utf-8", "a → b", "a → b"),
        ("cp1252", "covid → covid × 3 …", "covid -> covid × 3 …"),
        ("cp437", "n ≥ 3 × 4 – 5", "n ≥ 3 x 4 - 5"),
        ("ascii", "café → 3 ≤ 4", "caf\\xe9 -> 3 <= 4"),
        ("latin-1", "Łódź.png", "\\u0141ód\\u017a.png"),
        ("cp850", "🫁.png", "\\U0001fac1.png"),
        ("ascii", "胸部", "\\u80f8\\u90e8"),
        ("koi8-r", "n ≥ 3 → 3 × 4", "n ≥ 3 -> 3 x 4"),
        ("cp1251", "Köln → 胸.png", "K\\xf6ln -> \\u80f8.png"),
        ("cp932", "胸部 → 3 × 4", "胸部 → 3 × 4"),
        ("ascii", "\udcff.png", "\\udcff.png"),
    ],
)
def test_every_text_can_be_written_on_every_console(encoding, text, written, monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding, newline=""))
    plain_output()
    print(text, flush=True)  # noqa: T201
    print(text, file=sys.stderr, flush=True)  # noqa: T201
    for stream in (sys.stdout, sys.stderr):
        assert stream.buffer.getvalue().decode(encoding) == written + "\n"


def test_a_stream_that_cannot_be_set_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    plain_output()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "latin-1", "koi8-r"])
def test_the_command_ends_well_where_the_console_has_no_arrow(encoding, tmp_path):
    folder = draw.draw_set(tmp_path, per_class=3)
    image = next(path for path in folder.rglob("*.png"))
    image.rename(image.with_name("Łódź.png"))
    command = [sys.executable, "-m", "cxr_helpers.cli", "import", str(folder)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode(encoding)
    # where ASCII is said, click writes UTF-8
    arrow = "→".encode() if encoding == "ascii" else b"->"
    assert arrow in done.stdout
    assert b"covid" in done.stdout


# --- locks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OSError(errno.ENOSYS, "Function not implemented"), "warns"),
        (OSError(errno.ENOLCK, "No locks available"), "warns"),
        (OSError(errno.EOPNOTSUPP, "Operation not supported"), "warns"),
        (NotImplementedError("FileSystem does not appear to support flock"), "warns"),
        (PermissionError(errno.EACCES, "Permission denied"), "raises"),
        (OSError(errno.EROFS, "Read-only file system"), "raises"),
        (OSError(errno.ENOSPC, "No space left on device"), "raises"),
    ],
)
def test_a_drive_without_locks_is_worked_on_with_a_warning(error, outcome, tmp_path, monkeypatch):
    def acquire(self, *_, **__):
        raise error

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    entered = False
    if outcome == "warns":
        with (
            pytest.warns(UserWarning, match="has no locks.*one process at a time"),
            one_at_a_time(tmp_path / "x.lock"),
        ):
            entered = True
        assert entered
    else:
        with pytest.raises(type(error)), one_at_a_time(tmp_path / "x.lock"):
            entered = True
        assert not entered


def test_a_lock_is_held_inside_and_free_behind_also_after_an_error(tmp_path):
    from filelock import FileLock, Timeout

    def works():
        with one_at_a_time(tmp_path / "x.lock"):
            with pytest.raises(Timeout):
                FileLock(tmp_path / "x.lock", timeout=0).acquire()
            raise OSError(errno.ENOSYS, "an error of the work")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OSError, match="an error of the work"):
            works()
    FileLock(tmp_path / "x.lock", timeout=0).acquire()


# --- Keras ----------------------------------------------------------------------------------------

SETTINGS = [
    ("image_data_format", "channels_first"),
    ("floatx", "float16"),
    ("floatx", "float64"),
    ("floatx", "bfloat16"),
    ("backend", "jax"),
    ("backend", "torch"),
]


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_a_keras_set_for_other_work_is_refused_with_the_remedy(name, value, monkeypatch, tmp_path):
    import keras

    monkeypatch.setattr(keras.config, name, lambda: value)
    message = rf"{name} is '{value}' and not '{pipeline.KERAS[name]}'.*keras\.json.*start Python"
    for use in (
        pipeline.check_keras,
        lambda: pipeline.batches(None, None),
        lambda: train.fit(None, None, None),
        lambda: deploy.export(None, tmp_path),
    ):
        with pytest.raises(RuntimeError, match=message):
            use()


@pytest.mark.tensorflow
def test_keras_as_it_comes_is_taken():
    pipeline.check_keras()


@pytest.mark.tensorflow
@pytest.mark.slow
def test_a_users_own_keras_json_is_read(tmp_path):
    (tmp_path / "keras.json").write_text(
        '{"image_data_format": "channels_first", "floatx": "float16"}'
    )
    code = "from cxr_helpers import pipeline; pipeline.check_keras()"
    variables = {**os.environ, "KERAS_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "image_data_format is 'channels_first'" in last
    assert "floatx is 'float16'" in last
    assert f"{tmp_path}/keras.json" in last


# --- mixed precision ------------------------------------------------------------------------------

SIZE = 32


def mixed(policy, last, build):
    import keras

    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        layers = keras.layers
        body = [
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
        body += [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax", dtype=last)]
        grey = keras.Input((SIZE, SIZE, 1))
        if build == "sequential":
            return keras.Sequential([grey, *body])
        if build == "nested":
            return keras.Sequential([grey, keras.Sequential([keras.Input((SIZE, SIZE, 1)), *body])])
        x = grey
        for layer in body:
            x = layer(x)
        return keras.Model(grey, x)
    finally:
        keras.mixed_precision.set_dtype_policy(before)


@pytest.mark.tensorflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "last", "build"),
    [
        ("mixed_float16", "float32", "sequential"),
        ("mixed_float16", None, "functional"),
        ("mixed_bfloat16", "float32", "functional"),
        ("mixed_float16", "float32", "nested"),
        ("float64", None, "sequential"),
    ],
)
def test_a_network_of_mixed_precision_is_exported_in_float32(policy, last, build, tmp_path):
    model = mixed(policy, last, build)
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE)).astype(np.uint8)
    before = model.get_weights()
    files = deploy.export(model, tmp_path)
    assert deploy.parity(model, files, images)["largest"].max() < 0.02
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "error", [TypeError("x" * 9000), RuntimeError("MLIR\n" * 2000), KeyError("loc")]
)
def test_an_error_of_a_converter_becomes_a_few_words(error, tmp_path, monkeypatch):
    def convert(_):
        raise error

    monkeypatch.setattr(
        "tensorflow.lite.TFLiteConverter.from_keras_model",
        lambda model: type("C", (), {"convert": convert})(),
    )
    with pytest.raises(ValueError, match=f"cannot be converted .{type(error).__name__}") as raised:
        deploy.export(mixed("float32", None, "sequential"), tmp_path, ["float32"])
    assert len(str(raised.value)) < 600
    assert not list(tmp_path.iterdir())
