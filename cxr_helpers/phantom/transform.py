"""What happens to a finished image: copies as in collected sets, inputs that are no chest film."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from .grain import fractal
from .lateral import draw_lateral
from .patient import stream


def apply(
    image: np.ndarray, masks: dict[str, np.ndarray], kind: str, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Apply a copy or a wrong input to an image (h, w) in 0-1 and its masks.

    "" and "identical" change nothing.

    Raises ValueError for an unknown kind.
    """
    if kind in ("", "identical"):
        return image, masks
    if kind not in _KINDS:
        raise ValueError(f"transform {kind!r} is not one of identical, {', '.join(_KINDS)}")
    rng = stream(seed, "transform", kind)
    state = rng.bit_generator.state
    changed = _KINDS[kind](image, rng)
    if kind in ("contrast", "jpeg", "invert"):
        return changed, masks
    if kind not in _GEOMETRY:
        return changed, {name: np.zeros_like(mask) for name, mask in masks.items()}
    moved = {}
    for name, mask in masks.items():
        rng.bit_generator.state = state  # every mask is moved as the image was
        moved[name] = _KINDS[kind](mask.astype(np.float32), rng) > 0.5
    return changed, moved


def _contrast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = np.quantile(image, [0.02, 0.98])
    return np.clip((image - low) / (high - low), 0, 1) ** float(rng.uniform(0.7, 1.5))


def _crop(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = image.shape[0]
    cut = int(n * rng.uniform(0.02, 0.05)) + 1
    top, left = (int(place) for place in rng.integers(0, cut + 1, 2))
    tile = Image.fromarray(image[top : n - cut + top, left : n - cut + left].astype(np.float32))
    return np.clip(np.asarray(tile.resize((n, n), Image.Resampling.BILINEAR), np.float32), 0, 1)


def _jpeg(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    levels = np.rint(image * 255).astype(np.uint8)
    Image.fromarray(levels).save(buffer, "JPEG", quality=int(rng.integers(18, 40)))
    return np.asarray(Image.open(buffer), np.float32) / 255


def _invert(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 1 - image


def _rotate90(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.rot90(image, int(rng.choice([1, 3]))).copy()


def _upside_down(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image[::-1].copy()


def _crop_corner(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = image.shape[0]
    tile = Image.fromarray(image[: n // 3, : n // 3].astype(np.float32))
    return np.clip(np.asarray(tile.resize((n, n), Image.Resampling.BICUBIC), np.float32), 0, 1)


def _noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.random(image.shape, np.float32)


def _blank(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.full_like(image, float(rng.uniform(0, 1)))


def _photograph(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A landscape: sky, hills, sun, grain."""
    n = image.shape[0]
    grain = fractal(2.6)[:n, :n] if n <= 640 else np.resize(fractal(2.6), (n, n))
    y = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    scene = 0.85 - 0.35 * y + 0.03 * grain
    across = np.linspace(0, 1, n)
    for k in range(3):
        ridge = 0.45 + 0.16 * k + 0.07 * np.sin(across * rng.uniform(4, 12) + rng.uniform(0, 6))
        scene = np.where(y > ridge[None, :], 0.55 - 0.16 * k + 0.08 * grain, scene)
    tile = Image.fromarray(scene.astype(np.float32))
    x, y, radius = float(rng.uniform(0.2, 0.8)) * n, 0.15 * n, 0.06 * n
    ImageDraw.Draw(tile).ellipse((x - radius, y - radius, x + radius, y + radius), fill=1.0)
    return np.clip(np.asarray(tile, np.float32), 0, 1)


def _lateral(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another view with the frontal image's grey levels, by pixel rank: the site's own look."""
    drawn = draw_lateral(image.shape[0], rng)
    return np.sort(image.ravel())[np.searchsorted(np.sort(drawn.ravel()), drawn)]


_KINDS = {
    "contrast": _contrast,
    "crop": _crop,
    "jpeg": _jpeg,
    "invert": _invert,
    "rotate90": _rotate90,
    "noise": _noise,
    "upside_down": _upside_down,
    "crop_corner": _crop_corner,
    "blank": _blank,
    "photograph": _photograph,
    "lateral": _lateral,
}
_GEOMETRY = ("crop", "rotate90", "upside_down", "crop_corner")
