"""The tensors of a legacy PyTorch file (.pth, before 1.6), read without PyTorch.

Nothing in the file is executed.

Such a file is five pickles (a magic number, a version, a description of the machine, the tensors'
names with references to storages, the storages' keys) and then the raw storages. A pickle can call
any function it names; here it may name four things, and gets harmless ones of ours in their place.
"""

import io
import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class WeightsError(RuntimeError):
    """Weights that are missing or wrong: the message says which, why, and what to do."""


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype
    length: int


@dataclass(frozen=True)
class _Reference:
    """A tensor whose numbers come later in the file."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def _rebuild(storage, offset, shape, strides, *_ignored) -> _Reference:
    return _Reference(storage, int(offset), tuple(shape), tuple(strides))


_ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Restricted(pickle.Unpickler):
    """Looks nothing up outside `_ALLOWED`."""

    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise WeightsError(
                f"the file asks for {module}.{name}, which weights do not need. Do not use it."
            )
        return _ALLOWED[module, name]

    def persistent_load(self, identity):
        kind, dtype, key, _place, length, view = identity
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise WeightsError(
                "the file holds a kind of tensor that weights do not need. Do not use it."
            )
        return _Storage(str(key), dtype, int(length))


def read(data: bytes) -> dict[str, np.ndarray]:
    """Name → array for each tensor of a legacy .pth file, given as bytes of a verified hash.

    Raises WeightsError for anything else, before it is used.
    """
    stream = io.BytesIO(data)
    try:
        head = [_Restricted(stream).load() for _ in range(3)]
        if head[:2] != [MAGIC, PROTOCOL]:
            raise WeightsError("the file is not a legacy PyTorch file. Download it again.")
        names = dict(_Restricted(stream).load())
        keys = _Restricted(stream).load()
        storages = {key: _storage(stream, key, names) for key in keys}
        return {name: _tensor(reference, storages) for name, reference in names.items()}
    except (
        pickle.UnpicklingError,
        EOFError,
        struct.error,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
    ) as error:
        raise WeightsError(f"the file is damaged ({error}). Download it again.") from error


def _storage(stream: io.BytesIO, key: str, names: dict[str, _Reference]) -> np.ndarray:
    """The next storage: its length as eight bytes, then its numbers."""
    declared = next(r.storage for r in names.values() if r.storage.key == key)
    (length,) = struct.unpack("<q", stream.read(8))
    if length != declared.length:
        raise ValueError(f"storage {key} has {length} numbers instead of {declared.length}")
    return np.frombuffer(
        stream.read(length * declared.dtype.itemsize), declared.dtype, count=length
    )


def _tensor(reference: _Reference, storages: dict[str, np.ndarray]) -> np.ndarray:
    """A copy of its part of the storage, which may be stored transposed."""
    storage, shape, strides = storages[reference.storage.key], reference.shape, reference.strides
    last = reference.offset + sum(
        (length - 1) * stride for length, stride in zip(shape, strides, strict=True)
    )
    if min((reference.offset, *strides)) < 0 or min(shape, default=1) < 1 or last >= len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(
        storage[reference.offset :], shape, steps, writeable=False
    ).copy()
