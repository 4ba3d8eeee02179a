"""A row of pictures that a slider leafs through; without a script, some of them side by side."""

import io
import json
import zlib
from base64 import b64encode
from dataclasses import dataclass
from html import escape

import numpy as np

from .look import DPI, INK, PALETTE, Picture

COLOURS = 20  # of a frame besides: its fills, and what lies between them and the lines
# Colours of letters and marks, which cover little and would be lost: black and the palette.
KEPT = [[int(name[k : k + 2], 16) for k in (1, 3, 5)] for name in ("#000000", INK, *PALETTE)]
STILL = "width:49%;min-width:290px;max-width:{width}px;height:auto;vertical-align:top"

# It runs where HTML is trusted: after a cell ran, in Colab, in an exported page and on the site.
# Elsewhere the images stay as they are. A box is found by its class: an output may be shown twice.
SCRIPT = """
document.querySelectorAll(".SLIDER:not([data-ready])").forEach((box) => {
  box.dataset.ready = "yes";
  const frames = FRAMES;
  const still = [...box.querySelectorAll("img")];
  const picture = still[0].cloneNode();
  picture.style.cssText = "display:block;max-width:100%;height:auto";
  const label = document.createElement("label");
  label.style.cssText = "display:block;max-width:WIDTHpx";
  const slider = document.createElement("input");
  Object.assign(slider, {type: "range", min: 0, max: frames.length - 1, step: 1, value: START});
  slider.style.cssText = "display:block;width:100%;margin:4px 0";
  slider.dataset.lmSuppressShortcuts = "yes";  // else JupyterLab takes the arrow keys for itself
  const show = () => {
    const [position, alt, source] = frames[slider.value];
    picture.src = typeof source === "number" ? still[source].src : source;
    picture.alt = alt;
    slider.setAttribute("aria-valuetext", position);
    label.firstChild.textContent = NAME + ": " + position;
  };
  label.append(document.createElement("span"), slider);
  slider.addEventListener("input", show);
  show();
  still.forEach((image) => { image.style.display = "none"; });
  box.append(label, picture);
});
"""


@dataclass(frozen=True, eq=False, repr=False)
class Slider:
    """Pictures of one thing at several positions, shown one at a time, as HTML with a small script.

    `frames`: {position: Picture}, in order. Where no script runs, the frames at the positions
    `still` stand side by side: they say the same. `name` is what the slider moves, `start` where it
    stands first, `alt` what all frames say together. It needs no kernel and asks no other host for
    anything. Raises ValueError for a position without a frame.
    """

    name: str
    frames: dict[str, Picture]
    still: tuple[str, ...]
    start: str
    alt: str

    def __post_init__(self) -> None:
        missing = [
            position for position in (*self.still, self.start) if position not in self.frames
        ]
        if missing or not self.still:
            known = ", ".join(self.frames)
            raise ValueError(
                f"no position {', '.join(missing) or 'is shown still'}; there are {known}."
            )

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": self.alt}

    def html(self) -> str:
        """Images with alt text, then the script that puts a slider in their place."""
        sources = {position: _address(picture) for position, picture in self.frames.items()}
        alts = {
            position: f"{self.name} {position}. {self.frames[position].alt}"
            for position in self.frames
        }
        frames = [
            [
                position,
                alts[position],
                self.still.index(position) if position in self.still else source,
            ]
            for position, source in sources.items()
        ]
        width = round(next(iter(self.frames.values())).figure.get_figwidth() * DPI)
        style = STILL.format(width=width)
        images = "\n".join(
            f'<img style="{style}" alt="{escape(alts[position])}" src="{sources[position]}">'
            for position in self.still
        )
        own = f"slider-{zlib.crc32(repr(frames).encode()):08x}"
        script = SCRIPT.strip().replace("SLIDER", own).replace("WIDTH", str(width))
        script = script.replace("START", str(list(sources).index(self.start))).replace(
            "NAME", json.dumps(self.name)
        )
        script = script.replace(
            "FRAMES", json.dumps(frames, ensure_ascii=False).replace("<", "\\u003c")
        )
        return f'<div class="{own}">\n{images}\n</div>\n<script>\n{script}\n</script>'


def _address(picture: Picture) -> str:
    """A frame as a data address: its commonest colours stay, others become the nearest of them."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    picture.figure.savefig(raw, format="png", dpi=DPI)
    pixels = np.asarray(Image.open(raw).convert("RGB"), np.int32)
    flat = pixels @ np.array([65536, 256, 1], np.int32)  # one number per colour
    packed, which, counts = np.unique(flat, return_inverse=True, return_counts=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    common = np.concatenate([KEPT, colours[np.argsort(-counts, kind="stable")[:COLOURS]]])
    nearest = np.abs(colours[:, None] - common).sum(axis=2).argmin(axis=1)
    few = common[nearest[which]].reshape(pixels.shape).astype(np.uint8)
    Image.fromarray(few).save(small, format="WEBP", lossless=True, quality=75, method=4)
    return f"data:image/webp;base64,{b64encode(small.getvalue()).decode('ascii')}"
