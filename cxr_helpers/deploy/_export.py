"""Small files for other machines, LiteRT and ONNX: how answers, size and speed differ."""

import io
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd

from .. import files, pipeline
from ..console import bar, quiet
from ..models.answers import answer_layer, as_probabilities, leaves
from ..stats import wilson

FORMATS = {  # name → format, precision, file
    "float32": ("LiteRT", "float32", "float32.tflite"),
    "float16": ("LiteRT", "float16 weights", "float16.tflite"),
    "int8": ("LiteRT", "int8 weights (dynamic)", "int8.tflite"),
    "int8_full": ("LiteRT", "int8 weights and activations", "int8_full.tflite"),
    "onnx": ("ONNX", "float32", "float32.onnx"),
}
# by how much a sum of probabilities may miss 1: full int8 rounds each of up to 25 by 1/512
ROUNDED = 0.05
USUAL = ("float32", "float16", "int8", "onnx")


def export(
    model, folder, formats: Iterable[str] = USUAL, *, representative: np.ndarray | None = None
) -> pd.DataFrame:
    """Write a Keras model as files that run without Keras, one row per file.

    Each file appears whole or not at all.

    Parameters
    ----------
    model : keras.Model
        Answers with probabilities.
    folder : path-like
        Made where it is not there.
    formats : iterable of str
        Of float32, float16 (weights), int8 (weights; activations are quantised as they come:
        "dynamic"), int8_full (activations too, with ranges seen on `representative`) and onnx.
    representative : ndarray, optional
        uint8 (n, size, size): images of the *training* part, for int8_full.

    Returns
    -------
    DataFrame
        Columns name, file (path), format, precision, kB (1000 bytes), sha256.

    Raises
    ------
    ValueError
        For an unknown format, a model that does not answer with probabilities or cannot be
        converted, or int8_full without representative images.
    """
    formats = list(formats)
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ValueError(f"no format {unknown[0]!r}; there are: {', '.join(FORMATS)}")
    if "int8_full" in formats and (representative is None or not len(representative)):
        raise ValueError(
            "int8_full needs representative images: pass some of the training part, never of the "
            "test"
        )
    pipeline.check_keras()
    answer_layer(model)
    model = _in_float32(model)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in formats:
        kind, precision, file = FORMATS[name]
        content = _onnx(model) if kind == "ONNX" else _litert(model, name, representative)
        with files.whole_file(folder / file) as part:
            part.write_bytes(content)
        digest = files.sha256(content)
        size = len(content) / 1000
        rows.append([name, str(folder / file), kind, precision, size, digest])
    return pd.DataFrame(rows, columns=["name", "file", "format", "precision", "kB", "sha256"])


def _in_float32(model):
    """The model, or a float32 copy of one trained in mixed precision: converters need it."""
    import keras

    def plain(layer):
        config = layer.get_config() | {"dtype": "float32"}
        return type(layer).from_config(config)

    if all(layer.compute_dtype == "float32" for layer in leaves(model)):
        return model
    copy = keras.models.clone_model(model, clone_function=plain, recursive=True)
    copy.set_weights(model.get_weights())
    # ONNX wants a model that was called
    copy(np.zeros((1, *model.input_shape[1:]), np.float32), training=False)
    return copy


def _litert(model, name: str, representative: np.ndarray | None) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if name != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "int8_full" and representative is not None:
        shown = [image[None, ..., None].astype(np.float32) for image in representative]
        converter.representative_dataset = lambda: ([image] for image in shown)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _silently(converter.convert)


def _silently(work: Callable):
    """The converters write on both streams and the log, folders included; so do their errors."""
    nowhere, log = io.StringIO(), logging.getLogger("tensorflow")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with quiet(), warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            return work()
    except MemoryError:
        raise
    except Exception as error:  # of no common class, and of thousands of characters
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the network cannot be converted ({type(error).__name__}: {reason}); a layer that the "
            "format does not have, or numbers of another type, are the usual reasons. Try another "
            "of the formats"
        ) from error
    finally:
        log.setLevel(level)


def _onnx(model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        _silently(lambda: model.export(path, format="onnx", verbose=False))
        return path.read_bytes()


def run_exported(path, threads: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """A function from images to probabilities, by a file of `export`.

    The images are fed one at a time, as an app would; one sigmoid unit becomes two columns, 1 - p
    and p, and each row is divided by its sum (full int8 rounds each probability, so that they may
    sum to 1.004).

    Parameters
    ----------
    path : path-like
        A .tflite or .onnx file.
    threads : int
        That one answer may use.

    Returns
    -------
    callable
        From uint8 (n, size, size) to float32 (n, classes); ValueError for answers that are no
        probabilities.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a file of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; write it with deploy.export")
    kinds = {".tflite": _litert_runner, ".onnx": _onnx_runner}
    if path.suffix not in kinds:
        raise ValueError(f"{path.name}: cannot be run; give a .tflite or an .onnx file")
    run = kinds[path.suffix](path, threads)

    def answer(images: np.ndarray) -> np.ndarray:
        one_by_one = [run(image[None, ..., None].astype(np.float32)) for image in images]
        found = as_probabilities(np.concatenate(one_by_one), path.name, ROUNDED)
        return found / found.sum(axis=1, keepdims=True)

    return answer


def _litert_runner(path: Path, threads: int) -> Callable:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:  # TensorFlow carries one, too
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter
    with quiet():  # it greets on standard error
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    given, found = (
        interpreter.get_input_details()[0]["index"],
        interpreter.get_output_details()[0]["index"],
    )

    def run(image):
        interpreter.set_tensor(given, image)
        interpreter.invoke()
        return interpreter.get_tensor(found)

    return run


def _onnx_runner(path: Path, threads: int) -> Callable:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def keras_runner(model) -> Callable[[np.ndarray], np.ndarray]:
    """The same function for the Keras model itself: what the exported files are compared with.

    Parameters
    ----------
    model : keras.Model
        Answers with probabilities.

    Returns
    -------
    callable
        From uint8 (n, size, size) to (n, classes), as `run_exported` gives it.
    """

    def answer(images: np.ndarray) -> np.ndarray:
        step = pipeline.inference_batch(images)
        parts = [
            images[k : k + step, ..., None].astype(np.float32) for k in range(0, len(images), step)
        ]
        output = np.concatenate([np.asarray(model(part, training=False)) for part in parts])
        found = as_probabilities(output, model.name)
        return found / found.sum(axis=1, keepdims=True)

    return answer


def parity(model, files, images: np.ndarray) -> pd.DataFrame:
    """How far exported files differ from the Keras model on the same images, one row per file.

    Parameters
    ----------
    model : keras.Model
        That was exported.
    files : DataFrame or sequence of path-like
        The table of `export`, or paths.
    images : ndarray
        uint8 (n, size, size), a whole set: the largest difference of one image says nothing of the
        next.

    Returns
    -------
    DataFrame
        Columns name, largest (difference in a probability, 0-1), mean (of each image's largest),
        flipped (images whose most probable class changes), n, and low, high: Wilson's 95 % interval
        of the share that flips, as if the images were independent.

    Raises
    ------
    ValueError
        Without images.
    """
    if not len(images):
        raise ValueError("parity needs images: give the whole test set")
    expected = keras_runner(model)(images)
    rows = []
    for path in map(Path, files["file"] if isinstance(files, pd.DataFrame) else files):
        found = run_exported(path)(images)
        apart = np.abs(found - expected).max(axis=1)
        flipped = int((found.argmax(1) != expected.argmax(1)).sum())
        low, high = wilson(flipped, len(images))
        rows.append(
            [path.name, float(apart.max()), float(apart.mean()), flipped, len(images), low, high]
        )
    return pd.DataFrame(rows, columns=["name", "largest", "mean", "flipped", "n", "low", "high"])


def latency(
    runners: Mapping[str, Callable], image: np.ndarray, repeats: int = 200, warm: int = 20
) -> pd.DataFrame:
    """Milliseconds for one image: first, median and fastest, for each file.

    The first call makes ready what later calls reuse, so it stands apart. The runners take turns,
    since the load of a machine changes.

    Parameters
    ----------
    runners : mapping of str to callable
        {name: function of `run_exported` or `keras_runner`}.
    image : ndarray
        uint8 (size, size).
    repeats : int
        Calls that are measured.
    warm : int
        Calls before them that are left out, beside the first.

    Returns
    -------
    DataFrame
        Columns name, first_ms, median_ms, fastest_ms, repeats, cores, load (how many processes
        wanted a core: one-minute mean; NaN where unknown).
    """
    one = image[None]
    first = {name: _milliseconds(run, one) for name, run in runners.items()}
    times: dict[str, list[float]] = {name: [] for name in runners}
    for turn in bar(range(warm + repeats), desc="timing", unit="turn"):
        for name, run in runners.items():
            spent = _milliseconds(run, one)
            if turn >= warm:
                times[name].append(spent)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else np.nan
    rows = [
        [
            name,
            first[name],
            float(np.median(spent)),
            min(spent),
            repeats,
            os.cpu_count(),
            round(load, 1),
        ]
        for name, spent in times.items()
    ]
    return pd.DataFrame(
        rows, columns=["name", "first_ms", "median_ms", "fastest_ms", "repeats", "cores", "load"]
    )


def _milliseconds(run: Callable, image: np.ndarray) -> float:
    started = time.perf_counter()
    run(image)
    return 1000 * (time.perf_counter() - started)
