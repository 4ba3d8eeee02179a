"""Values as bytes that another process can read without trusting who wrote them.

No pickle, and no code. A message is JSON with a blob beside it for each array, file or model.
Numbers, text, lists, tuples, sets, dictionaries, tables, arrays, images, paths and what Keras can
save keep their types; functions are named by a number, to be called from the other side (`border`).
Of anything else only the name of its type crosses.
"""

import collections
import io
import itertools
import json
import math
import struct
import sys
import tempfile
import types
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from ..console import quiet

LARGEST = 50_000_000  # bytes of a message from a student's process
MANY = 2_000_000  # items of one
DEEP = 100  # lists inside lists
VIEWS = {"dict_keys": dict.keys, "dict_values": dict.values, "dict_items": dict.items}
SAFE = ("config.json", "metadata.json", "model.weights.h5")  # parts of a Keras file
CODE = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


class Unfit(Exception):
    """A value cannot cross; the text says why, in words for the student."""


class Writer:
    """Writes one value after the other; functions stand in `own`, by number, to be called."""

    def __init__(self, largest: float = math.inf):
        self.own: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._largest = largest
        self._blobs: list[bytes] = []
        self._size = self._items = 0

    def write(self, value: Any) -> bytes:
        """The bytes of a value; raises `Unfit` where it is too large."""
        self._blobs, self._size, self._items = [], 0, 0
        text = json.dumps(self._tagged(value, 0)).encode()
        self._grow(len(text))
        parts = [text, *self._blobs]
        return b"".join(
            [struct.pack("<I", len(parts)), *(struct.pack("<Q", len(p)) + p for p in parts)]
        )

    def number(self, value: Any) -> int:
        """The number by which the other side names an object; the same object keeps its number."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.own)
            self.own.append(value)  # kept alive, so that no other object gets its id
        return self._numbers[id(value)]

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._largest:
            raise Unfit(f"The answer has more than {self._largest / 1e6:.0f} MB.")

    def _blob(self, content: bytes) -> int:
        self._grow(len(content))
        self._blobs.append(content)
        return len(self._blobs)

    def _tagged(self, value: Any, depth: int) -> Any:
        self._items += 1
        if depth > DEEP or (self._largest < math.inf and self._items > MANY):
            raise Unfit("The answer holds too many values, or itself.")
        if value is None or type(value) in (bool, float, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool | np.generic):
            value = int.__int__(value)
            return value if abs(value) < 2**63 else {"": "int", "v": f"{value:x}"}
        for kind, write in _WRITERS:
            if isinstance(value, kind):
                return write(self, value, depth + 1)
        return self._rest(value, depth + 1)

    def _list(self, values: Any, depth: int) -> list:
        return [self._tagged(item, depth) for item in values]

    def _array(self, value: np.ndarray, depth: int) -> dict:
        if isinstance(value, np.ma.MaskedArray):
            parts = self._list([np.asarray(value.data), np.ma.getmaskarray(value)], depth)
            return {"": "masked", "v": parts}
        if value.dtype.hasobject:
            items = self._list(np.asarray(value).ravel().tolist(), depth)
            return {"": "objects", "v": items, "shape": list(value.shape)}
        self._grow(value.nbytes)
        self._size -= value.nbytes
        np.lib.format.write_array(out := io.BytesIO(), np.asarray(value), allow_pickle=False)
        return {"": "array", "b": self._blob(out.getvalue())}

    def _extension(self, value: Any, depth: int) -> dict:
        if isinstance(value, pd.Categorical):
            parts = self._list([np.asarray(value.codes), value.categories], depth)
            return {"": "categorical", "v": parts, "ordered": bool(value.ordered)}
        return {"": "extension", "v": self._list(value, depth), "dtype": str(value.dtype)}

    def _column(self, value: pd.Series | pd.Index, depth: int) -> Any:
        array = value.array
        return self._tagged(array.to_numpy() if isinstance(value.dtype, np.dtype) else array, depth)

    def _index(self, value: pd.Index, depth: int) -> dict:
        if isinstance(value, pd.RangeIndex):
            what = {"": "rows", "v": [value.start, value.stop, value.step]}
        elif isinstance(value, pd.MultiIndex):
            what = {"": "levels", "v": self._list(list(value), depth)}
        else:
            what = {"": "index", "v": self._column(value, depth)}
        return what | {"names": self._list(value.names, depth)}

    def _table(self, value: pd.DataFrame, depth: int) -> dict:
        columns = [self._column(value.iloc[:, k], depth) for k in range(value.shape[1])]
        index, names = self._index(value.index, depth), self._index(value.columns, depth)
        return {"": "table", "v": columns, "index": index, "columns": names}

    def _series(self, value: pd.Series, depth: int) -> dict:
        index, name = self._index(value.index, depth), self._tagged(value.name, depth)
        return {"": "series", "v": self._column(value, depth), "index": index, "name": name}

    def _dict(self, value: dict, depth: int) -> dict:
        keys = self._list(dict.keys(value), depth)
        return {"": "dict", "k": keys, "v": self._list(dict.values(value), depth)}

    def _rest(self, value: Any, depth: int) -> dict:
        name = type(value).__name__
        if value is pd.NA or value is pd.NaT or value is Ellipsis:
            return {"": {"NAType": "NA", "NaTType": "NaT"}.get(name, "...")}
        if name in VIEWS:
            return {"": "view", "name": name, "v": self._list(value, depth)}
        if isinstance(value, type):
            return {"": "class", "name": value.__name__}
        if keras := _keras_of(value):
            return self._of_keras(keras, value)
        if hasattr(value, "__next__"):
            items = itertools.islice(value, int(min(self._largest, MANY)))
            return {"": "iterator", "name": name, "v": self._list(items, depth)}
        if hasattr(value, "__array__"):  # a tensor, for example
            return self._array(np.asarray(value), depth)
        if callable(value):
            known = {"name": str(getattr(value, "__name__", name))[:200], "type": name}
            doc = str(getattr(value, "__doc__", None) or "")[:2000]
            return {"": "function", "number": self.number(value), "doc": doc} | known
        return {"": "object", "name": name}

    def _of_keras(self, keras: Any, value: Any) -> dict:
        """A model as the file that Keras saves, a layer as its configuration and weights, a loss as
        the former; a model with parts of the student's own stays, to be called from the other side.
        """
        number = self.number(value)
        if isinstance(value, keras.Model):
            content = self._saved(value)
            if content is not None:
                return {"": "model", "number": number, "b": self._blob(content)}
            layers = [self._layer(keras, layer) for layer in value.layers]
            told = {"": "far model", "number": number, "name": type(value).__name__}
            return told | {"layers": layers, "loss": self._tagged(value.loss, 1)}
        try:
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
            weights = value.get_weights() if hasattr(value, "get_weights") else []
        except (TypeError, ValueError, NotImplementedError) as error:
            reason = f"{type(error).__name__}: {error!s:.200}"
            raise Unfit(f"{type(value).__name__} cannot be saved by Keras ({reason}).") from error
        parts = self._list(weights, 1)
        return {"": "keras", "number": number, "config": config, "weights": parts}

    def _layer(self, keras: Any, value: Any) -> dict:
        """A layer of a model that stays, where it is Keras's own."""
        try:
            found = self._of_keras(keras, value)
            _harmless(found.get("config"))
            return found
        except Unfit:
            return {"": "object", "name": type(value).__name__}

    @staticmethod
    def _saved(value: Any) -> bytes | None:
        """A model as the file that Keras saves; None where reading it needs classes of its own."""
        with quiet(), tempfile.TemporaryDirectory() as folder:
            try:
                value.save(path := Path(folder, "model.keras"))
                content = path.read_bytes()
                _harmless(_state(content)[0])
            except Exception:  # noqa: BLE001 - code of the student's own runs here
                return None
        return content


def _keras_of(value: Any) -> Any:
    """Keras, where the value is one of its objects or functions; else None."""
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "losses"):
        return None
    if isinstance(value, keras.layers.Layer | keras.losses.Loss | keras.optimizers.Optimizer):
        return keras
    own = isinstance(value, types.FunctionType) and value.__module__.partition(".")[0] == "keras"
    return keras if own and _function(keras, value.__name__) is value else None


def _function(keras: Any, name: str) -> Any:
    """A loss, an activation or a metric by its name."""
    homes = (keras.losses, keras.activations, keras.metrics)
    found = (getattr(home, name, None) for home in homes)
    return next((f for f in found if isinstance(f, types.FunctionType)), None)


_WRITERS: list[tuple[Any, Callable]] = [
    (np.generic, lambda w, v, d: {"": "scalar", "v": w._array(np.asarray(v), d)}),
    (str, lambda w, v, d: str.__str__(v)),
    (float, lambda w, v, d: float.__float__(v)),
    (complex, lambda w, v, d: {"": "complex", "v": [v.real, v.imag]}),
    ((bytes, bytearray), lambda w, v, d: {"": "bytes", "b": w._blob(bytes(v))}),
    (np.ndarray, Writer._array),
    (pd.DataFrame, Writer._table),
    (pd.Series, Writer._series),
    (pd.Index, Writer._index),
    (pd.api.extensions.ExtensionArray, Writer._extension),
    (type(pd.NaT), lambda w, v, d: {"": "NaT"}),
    (pd.Timestamp, lambda w, v, d: {"": "time", "v": v.isoformat()}),
    (pd.Timedelta, lambda w, v, d: {"": "duration", "v": v.isoformat()}),
    (PurePath, lambda w, v, d: {"": "path", "v": str(v)}),
    (range, lambda w, v, d: {"": "range", "v": w._list([v.start, v.stop, v.step], d)}),
    (list, lambda w, v, d: w._list(list.__iter__(v), d)),
    (tuple, lambda w, v, d: {"": "tuple", "v": w._list(tuple.__iter__(v), d)}),
    (set, lambda w, v, d: {"": "set", "v": w._list(set.__iter__(v), d)}),
    (frozenset, lambda w, v, d: {"": "frozenset", "v": w._list(frozenset.__iter__(v), d)}),
    (collections.deque, lambda w, v, d: {"": "deque", "v": w._list(v, d)}),
    (dict, Writer._dict),
    (
        Image.Image,
        lambda w, v, d: {"": "image", "mode": v.mode, "size": v.size, "b": w._blob(v.tobytes())},
    ),
]


class Reader:
    """Reads what a `Writer` wrote.

    `far` is a function (number, name, type, doc) that stands in for the other side's; `trusting`:
    whether objects of the course's own classes are rebuilt, as on the student's side only.
    """

    def __init__(self, far: Callable, *, trusting: bool = False):
        self._far, self._trusting = far, trusting
        self._known: dict[int, tuple[Any, Any]] = {}  # Keras's objects that crossed before
        self._blobs: list[bytes] = []

    def read(self, content: bytes) -> Any:
        """The value; raises `Unfit` where the bytes say none."""
        try:
            parts, place = [], 4
            for _ in range(struct.unpack_from("<I", content)[0]):
                (size,) = struct.unpack_from("<Q", content, place)
                parts.append(content[place + 8 : place + 8 + size])
                place += 8 + size
            self._blobs = parts[1:]
            return self._value(json.loads(parts[0]))
        except Unfit:
            raise
        except Exception as error:  # whoever wrote it may have written anything
            raise Unfit(
                f"The answer cannot be read ({type(error).__name__}: {error!s:.200})."
            ) from error

    def _value(self, told: Any) -> Any:
        if isinstance(told, list):
            return [self._value(item) for item in told]
        return _READERS[told[""]](self, told) if isinstance(told, dict) else told

    def _array(self, told: dict) -> np.ndarray:
        content = self._blobs[told["b"] - 1]
        file = io.BytesIO(content)
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = header[version](file)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - file.tell():
            raise Unfit("The answer's array is damaged.")
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)

    def _objects(self, told: dict) -> np.ndarray:
        array = np.empty(len(told["v"]), object)
        for place, item in enumerate(told["v"]):
            array[place] = self._value(item)
        return array.reshape(told["shape"])

    def _index(self, told: dict) -> pd.Index:
        names = self._value(told["names"])
        if told[""] == "rows":
            return pd.RangeIndex(*told["v"], name=names[0])
        values = self._value(told["v"])
        if told[""] == "levels":
            return pd.MultiIndex.from_tuples(values, names=names)
        return pd.Index(values, name=names[0], dtype=values.dtype)

    def _table(self, told: dict) -> pd.DataFrame:
        index, columns = self._index(told["index"]), self._index(told["columns"])
        series = [pd.Series(self._value(c), index=index, copy=False) for c in told["v"]]
        table = pd.DataFrame(dict(enumerate(series)), index=index)
        table.columns = columns
        return table

    def _series(self, told: dict) -> pd.Series:
        values, index = self._value(told["v"]), self._index(told["index"])
        return pd.Series(values, index=index, name=self._value(told["name"]))

    def _iterator(self, told: dict) -> Any:
        values = self._value(told["v"])
        return (item for item in values) if told["name"] == "generator" else iter(values)

    def _model(self, told: dict) -> Any:
        content = self._blobs[told["b"] - 1]
        same = _state(content)
        if (before := self._known.get(told["number"])) and before[0] == same:
            return before[1]
        with quiet(), tempfile.TemporaryDirectory() as folder:
            import keras

            path = Path(folder, "model.keras")
            path.write_bytes(content)
            if not self._trusting:
                _harmless(same[0])
            try:
                found = keras.saving.load_model(path, safe_mode=True)
            except Exception:  # noqa: BLE001 - what it was compiled with may be the student's own
                found = keras.saving.load_model(path, compile=False, safe_mode=True)
        self._known[told["number"]] = same, found
        return found

    def _far_model(self, told: dict) -> Any:
        if before := self._known.get(told["number"]):
            return before[1]
        with quiet():
            import keras

            ask = self._far(told["number"], told["name"], told["name"], "")

            class Elsewhere(keras.Model):  # type: ignore[misc]
                """A network of which its outputs, its loss and Keras's own layers come here."""

                def __init__(self, layers: list[Any], loss: Any, foreign: str):
                    super().__init__()
                    self.parts, self.loss, self.foreign = layers, loss, foreign

                def __call__(self, *args: Any, **kwargs: Any) -> Any:
                    return ask(*args, **kwargs)

                def save(self, *args: Any, **kwargs: Any) -> None:
                    raise ValueError(f"These parts are not Keras's own: {self.foreign}.")

            parts = [self._value(layer) for layer in told["layers"]]
            layers = [part for part in parts if isinstance(part, keras.layers.Layer)]
            others = [type(part).__name__ for part in parts if part not in layers]
            foreign = ", ".join([told["name"], *others])
            found = Elsewhere(layers, self._value(told["loss"]), foreign)
        self._known[told["number"]] = None, found
        return found

    def _keras(self, told: dict) -> Any:
        same = json.dumps(told["config"]), [self._blobs[w["b"] - 1] for w in told["weights"]]
        if (before := self._known.get(told["number"])) and before[0] == same:
            return before[1]
        with quiet():
            import keras

            config = told["config"]
            _harmless(config)
            if config.get("class_name") == "function":
                return _function(keras, config["config"])
            found = keras.saving.deserialize_keras_object(config, safe_mode=True)
            if told["weights"]:
                found.set_weights(self._value(told["weights"]))
        self._known[told["number"]] = same, found
        return found


def _state(content: bytes) -> tuple:
    """What a Keras file says, without the time at which it was saved."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        entries = parts.infolist()
        if {entry.filename for entry in entries} - set(SAFE) or sum(
            e.file_size for e in entries
        ) > 4 * LARGEST:
            raise Unfit("The network's file holds more than Keras puts there.")
        kept = {e.filename: parts.read(e) for e in entries if e.filename != "metadata.json"}
    return json.loads(kept["config.json"]), kept.get("model.weights.h5")


def _harmless(config: Any) -> None:
    """Raise `Unfit` where a Keras configuration names anything but Keras's own parts."""
    for part in (
        config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    ):
        _harmless(part)
    if not isinstance(config, dict) or "class_name" not in config:
        return
    name, module = str(config["class_name"]), config.get("module")
    if name == "function" or module == "builtins":
        import keras

        if name != "function" or _function(keras, str(config.get("config"))) is None:
            raise Unfit(f"The network uses {config.get('config')!r:.60}, which is not Keras's own.")
    elif name in CODE or (module is not None and str(module).partition(".")[0] != "keras"):
        raise Unfit(
            f"The network uses {name:.60}, which holds code of its own: use what Keras brings."
        )


def _named(name: str) -> type:
    """A class of a name: stands in for one whose objects cannot cross."""
    return type(str(name)[:100], (), {})


_READERS: dict[str, Callable] = {
    "int": lambda r, t: int(t["v"], 16),
    "scalar": lambda r, t: r._array(t["v"])[()],
    "complex": lambda r, t: complex(*t["v"]),
    "bytes": lambda r, t: r._blobs[t["b"] - 1],
    "array": Reader._array,
    "masked": lambda r, t: np.ma.MaskedArray(*r._value(t["v"])),
    "objects": Reader._objects,
    "categorical": lambda r, t: pd.Categorical.from_codes(*r._value(t["v"]), ordered=t["ordered"]),
    "extension": lambda r, t: pd.array(r._value(t["v"]), dtype=t["dtype"]),
    "rows": Reader._index,
    "levels": Reader._index,
    "index": Reader._index,
    "table": Reader._table,
    "series": Reader._series,
    "NA": lambda r, t: pd.NA,
    "NaT": lambda r, t: pd.NaT,
    "...": lambda r, t: ...,
    "time": lambda r, t: pd.Timestamp(t["v"]),
    "duration": lambda r, t: pd.Timedelta(t["v"]),
    "path": lambda r, t: Path(t["v"]),
    "range": lambda r, t: range(*r._value(t["v"])),
    "tuple": lambda r, t: tuple(r._value(t["v"])),
    "set": lambda r, t: set(r._value(t["v"])),
    "frozenset": lambda r, t: frozenset(r._value(t["v"])),
    "deque": lambda r, t: collections.deque(r._value(t["v"])),
    "dict": lambda r, t: dict(zip(r._value(t["k"]), r._value(t["v"]), strict=True)),
    "view": lambda r, t: VIEWS[t["name"]](dict(_pairs(t["name"], r._value(t["v"])))),
    "image": lambda r, t: Image.frombytes(t["mode"], tuple(t["size"]), r._blobs[t["b"] - 1]),
    "iterator": Reader._iterator,
    "class": lambda r, t: _named(t["name"]),
    "object": lambda r, t: _named(t["name"])(),
    "function": lambda r, t: r._far(t["number"], t["name"], t["type"], t["doc"]),
    "model": Reader._model,
    "far model": Reader._far_model,
    "keras": Reader._keras,
}


def _pairs(view: str, values: list) -> Any:
    """Pairs of a dictionary that has this view."""
    if view == "dict_items":
        return values
    return enumerate(values) if view == "dict_values" else ((item, None) for item in values)
