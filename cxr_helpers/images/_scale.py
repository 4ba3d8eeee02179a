"""The full scale: which grey level is white. All that reads pixels or look-up tables asks here."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ._errors import ImageError

if TYPE_CHECKING:  # it imports this module
    from ._files import ImageInfo

DEPTHS = (8, 10, 12, 14, 15, 16)  # bits that detectors, scanners and exporting programs use
RARE = (11, 13)  # taken only where the grey levels fill them
_SMALLEST = 8  # pixels; below that there is no chest to be seen (the smallest public sets have 28)


@dataclass(frozen=True)
class Scale:
    """Which grey level counts as white in a file whose header leaves it open, and why.

    ``white``: that level. ``highest``: the largest one found. ``holds``: the largest one that the
    file has room for.
    """

    white: float
    highest: float
    holds: float

    @property
    def remark(self) -> str:
        """What was assumed, in the same words for all files of a kind; empty where nothing was."""
        if self.white < self.holds:
            bits = round(np.log2(self.white + 1))
            return (
                f"read as {bits}-bit grey levels (white is {self.white:,.0f}), though the file "
                "has room for more"
            )
        if self.highest < self.holds / 2:
            return (
                f"grey levels use less than half of the full scale of {self.holds:,.0f}, read "
                "as stored: dark"
            )
        return ""


def decide(highest: float, holds: float) -> Scale:
    """The one place that decides the scale, from header and content.

    Parameters: `highest`, the largest grey level of a file, a set or a look-up table; `holds`, the
    largest that there is room for, by the header. Where the grey levels fill a smaller depth to
    nine tenths, or use no more than a sixteenth of the room (the picture would be black), that
    depth is taken. Everything else stays as the header has it: honestly dark images stay dark. A
    header that has too little room is wrong: the depth that holds them is taken.
    """
    filled = [
        2**bits - 1 for bits in DEPTHS + RARE if 0.9 * (2**bits - 1) <= highest <= 2**bits - 1
    ]
    fits = filled or [2**bits - 1 for bits in DEPTHS if highest <= 2**bits - 1] or [highest]
    smaller = fits[0] < holds and (filled or highest <= holds / 16)
    return Scale(fits[0] if smaller or highest > holds else holds, highest, holds)


def settle(
    name: str,
    highest: float,
    holds: float,
    says: float | None = None,
    full_scale: float | None = None,
) -> tuple[float, Scale | None]:
    """The level that is white in a file, and the `Scale` where neither header nor caller gives it.

    `name`, of the file, for the error; `full_scale`, what the caller gives, which is for files that
    have room for it; the others as in `decide`.
    """
    if says is not None and highest <= says:
        return says, None
    if full_scale is None or highest <= holds < full_scale:
        scale = decide(highest, holds)
        return scale.white, scale
    if highest > full_scale:
        problem = (
            f"holds grey levels up to {highest:,.0f}, above the full scale of "
            f"{full_scale:,.0f} that was given"
        )
        remedy = (
            "It belongs to images of another kind: import its folder again, or save it on "
            "that scale"
        )
        raise ImageError(name, problem, remedy)
    return full_scale, None


def common(infos: Sequence["ImageInfo"], kinds: Sequence[Hashable]) -> list["ImageInfo"]:
    """The same files with one scale for all of a kind, from the largest grey level of them all.

    So an honestly dark image among brighter ones stays dark.

    Parameters
    ----------
    infos : sequence of ImageInfo
        One for each file of a set.
    kinds : sequence
        What files must share to share a scale, one for each file.

    Returns
    -------
    list of ImageInfo
        In the same order; those whose header leaves nothing open are as they were.

    Examples
    --------
    Two files of 16 bits from one device: alone, the darker one would be taken for one of 12 bits.

    >>> from cxr_helpers.images import ImageInfo
    >>> def info(highest):
    ...     return ImageInfo(64, 64, "I;16", "PNG", 8192, "", decide(highest, 65535))
    >>> [info(highest).scale.white for highest in (60000, 4000)]
    [65535, 4095]
    >>> [shared.scale.white for shared in common([info(60000), info(4000)], ["device"] * 2)]
    [65535, 65535]
    """
    highest: dict[Hashable, float] = {}
    for info, kind in zip(infos, kinds, strict=True):
        if info.scale is not None:
            key = kind, info.scale.holds
            highest[key] = max(info.scale.highest, highest.get(key, 0))
    return [
        _rescaled(info, own, decide(highest[kind, own.holds], own.holds))
        if (own := info.scale)
        else info
        for info, kind in zip(infos, kinds, strict=True)
    ]


def _rescaled(info: "ImageInfo", own: Scale, shared: Scale) -> "ImageInfo":
    """A file's `ImageInfo` with the white of its set, and the remark that follows from it."""
    scale = replace(own, white=shared.white)
    others = [remark for remark in info.remarks if remark != own.remark]
    return replace(info, scale=scale, remarks=(*([scale.remark] if scale.remark else []), *others))


def oddities(levels: np.ndarray, white: float, scale: Scale | None) -> list[str]:
    """What is odd about grey levels (h, w): too few, too dark, too small; else empty."""
    low, high = float(levels.min()) / white, float(levels.max()) / white
    found = []
    if high - low < 1 / 255:
        found.append(
            f"one grey level only ({'black' if high < 0.02 else 'white' if low > 0.98 else 'grey'})"
        )
    elif high - low < 0.05:
        found.append("hardly more than one grey level")
    elif high <= 0.25 and not (scale and scale.remark):
        found.append("nearly black: no grey level above a quarter of white")
    elif scale and not scale.remark and float(np.quantile(levels, 0.75)) / white < 0.1:
        found.append("nearly black but for a quarter of its pixels or fewer")
    if min(levels.shape) < _SMALLEST:
        found.append(f"smaller than {_SMALLEST} pixels")
    return found
