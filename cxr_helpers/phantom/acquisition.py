"""From attenuation to grey levels: scatter, quantum noise, detector, logarithm, window, border.

Each site has its own.

    I = I0 (exp(-A) + scatter),  N = λ + √λ · z,  g = tone((c · (-ln N/N_ref) − ln e − lo) / (hi −
    lo))

The window (lo, hi) belongs to the site and is the same for all its images. What varies from image
to image is drawn from the seed and stated in the truth: the exposure e (dose times detector gain)
and the contrast c (tube voltage, grid). N_ref is what the automatic exposure control reads behind
the lungs before any lesion, marker or device is there, and z is fixed by the seed: nothing in the
grey scale can answer to a lesion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from .grain import blur, mean, texture
from .patient import stream

MU_SOFT = 0.19  # 1/cm, water at about 70 keV
MU_LUNG = 0.050
MU_BONE = 0.30  # excess over soft tissue
MU_METAL = 3.0


@dataclass(frozen=True)
class Site:
    """Equipment and processing of one hospital; a change here never touches the anatomy."""

    name: str
    scatter: float  # scattered / primary behind the lungs
    photons: float  # per pixel of 224 behind the lungs
    unsharp: float
    low: float  # log exposure shown black, relative to the lungs
    high: float  # shown white
    gamma: float
    brightness: float  # spread of the log exposure
    contrast: float  # spread of the contrast
    equalise: float  # share of histogram equalisation
    border: float  # chance of an uncovered or collimated edge
    lettering: str  # "lead", "burnt", "plate"
    quality: int  # JPEG
    psf: float  # detector blur in pixels at 224
    bone: float  # contrast of bone against 70 keV: low tube voltage shows more


SITES = {
    "A": Site(
        name="A",
        scatter=0.6,
        photons=1.6e6,
        unsharp=0.72,
        low=-2.04,
        high=2.42,
        gamma=0.95,
        brightness=0.16,
        contrast=0.10,
        equalise=0.0,
        border=0.22,
        lettering="lead",
        quality=92,
        psf=0.45,
        bone=0.92,
    ),
    "B": Site(
        name="B",
        scatter=0.35,
        photons=6e5,
        unsharp=0.46,
        low=-2.10,
        high=2.60,
        gamma=1.00,
        brightness=0.10,
        contrast=0.08,
        equalise=1.0,
        border=0.2,
        lettering="burnt",
        quality=88,
        psf=0.38,
        bone=1.50,
    ),
    "C": Site(
        name="C",
        scatter=1.00,
        photons=1.6e6,
        unsharp=0.52,
        low=-2.03,
        high=2.17,
        gamma=0.97,
        brightness=0.17,
        contrast=0.11,
        equalise=0.0,
        border=0.3,
        lettering="plate",
        quality=80,
        psf=0.42,
        bone=0.88,
    ),
}


@dataclass(frozen=True)
class Exposure:
    """All that is fixed before a lesion is drawn: exposure, contrast, noise, tone curve."""

    site: Site
    reference: float
    noise: np.ndarray
    exposure: float  # dose × gain against the site's usual
    contrast: float
    levels: np.ndarray | None  # equalising curve over [0, 1]
    scatter: bool
    noisy: bool
    filters: bool


def prepare(
    base: np.ndarray,
    lung: np.ndarray,
    site: Site,
    seed: int,
    *,
    scatter=True,
    noise=True,
    filters=True,
) -> Exposure:
    """Fix reference, exposure, noise field and tone curve before a lesion.

    `base` is the attenuation without a lesion.
    """
    rng = stream(seed, "acquisition")
    # In float64: NumPy versions add float32 in different orders.
    lungs = base[lung] if lung.any() else base
    reference = math.exp(-lungs.mean(dtype=np.float64))
    contrast = float(np.exp(rng.normal(0, site.contrast)))
    dose = float(np.exp(rng.normal(0, site.brightness)))
    exposure = Exposure(
        site=site,
        reference=reference,
        noise=texture(stream(seed, "noise"), base.shape[0], 0.0),
        exposure=dose,
        contrast=contrast,
        levels=None,
        scatter=scatter,
        noisy=noise,
        filters=filters,
    )
    if not site.equalise:
        return exposure
    plain = _window(_logarithm(base[::2, ::2], replace(exposure, noisy=False)), exposure)
    return replace(exposure, levels=_equalising(plain, site.equalise))


def _equalising(plain: np.ndarray, share: float) -> np.ndarray:
    """Curve over [0, 1] that spreads an image's grey levels evenly, mixed with none by a share."""
    counts = np.bincount((plain.ravel() * 255).astype(np.intp), minlength=256).astype(float)
    counts = np.minimum(counts, 5.0 * counts.mean())
    curve = (np.cumsum(counts) - 0.5 * counts) / counts.sum()
    # a toe: air is a little darker than evenly spread
    curve = np.clip(curve - 0.009 * (1 - curve) ** 2, 0, 1)
    curve = share * curve + (1 - share) * np.linspace(0, 1, 256)
    return curve.astype(np.float32)


def expose(attenuation: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Turn attenuation (size, size) into grey levels 0-1 of the same shape, white = dense."""
    grey = _window(_logarithm(attenuation, exposure), exposure)
    if exposure.levels is None:
        return grey
    # Linear interpolation in the curve: what remains of the place, times the step there, plus the
    # level below.
    place = grey * np.float32(255)
    below = place.astype(np.intp)
    place -= below
    place *= np.diff(exposure.levels, append=np.float32(1)).take(below)
    place += exposure.levels.take(below)
    return place


def _logarithm(attenuation: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Detector signal: minus the logarithm of the exposure relative to the lungs."""
    site, scale = exposure.site, attenuation.shape[0] / 224
    signal = np.negative(attenuation)
    np.exp(signal, out=signal)
    signal *= np.float32(1 / exposure.reference)
    if exposure.scatter:
        scattered = _broad(signal.clip(0, 3), 20 * scale)
        scattered *= np.float32(site.scatter)
        signal += scattered
        signal *= np.float32(1 / (1 + site.scatter))
    if exposure.noisy:
        photons = site.photons / scale**2
        spread = np.sqrt(signal)
        spread *= exposure.noise
        spread *= np.float32(photons**-0.5)
        signal += spread
        signal.clip(1 / photons, np.inf, out=signal)
    value = np.log(signal, out=signal)
    np.negative(value, out=value)
    return _sharpen(blur(value, site.psf * scale), site, scale) if exposure.filters else value


def _sharpen(value: np.ndarray, site: Site, scale: float) -> np.ndarray:
    """Unsharp masking against the mean over a square of about 5 pixels at 224."""
    width = max(3, round(5 * scale))
    if width % 2 and width < 8:
        even = mean(mean(value, width, 0), width, 1)
    else:
        even = ndimage.uniform_filter(value, width, mode="nearest")
    even *= -site.unsharp
    even += value * (1 + site.unsharp)
    return even


def _window(value: np.ndarray, exposure: Exposure) -> np.ndarray:
    """The site's window with a soft toe and shoulder, then its gamma."""
    site, dose = exposure.site, float(np.log(exposure.exposure))
    per_unit = 2 * 1.15 / (site.high - site.low)
    grey = value * np.float32(exposure.contrast * per_unit)
    grey -= np.float32((dose + site.low) * per_unit + 1.15)
    np.tanh(grey, out=grey)
    grey *= np.float32(0.5 / np.tanh(1.15))
    grey += np.float32(0.5)
    grey.clip(0.02, 0.995, out=grey)
    if site.gamma != 1:
        np.power(grey, np.float32(site.gamma), out=grey)
    return grey


def _broad(image: np.ndarray, sigma: float) -> np.ndarray:
    """Wide blur computed on blocks: mean over blocks, Gaussian, linear interpolation back."""
    step = max(1, int(sigma // 2.5))
    n = image.shape[0]
    pad = -n % step
    padded = np.pad(image, ((0, pad), (0, pad)), mode="edge") if pad else image
    m = padded.shape[0] // step
    small = padded.reshape(m, step, m * step).sum(1).reshape(m, m, step).sum(2) * np.float32(
        1 / step**2
    )
    small = ndimage.gaussian_filter(small, sigma / step, mode="nearest", truncate=3)
    return _stretch(_stretch(small, n, step, 1), n, step, 0)


def _stretch(blocks: np.ndarray, n: int, step: int, axis: int) -> np.ndarray:
    """Interpolate values of blocks linearly to n pixels along an axis, `step` pixels a block."""
    low, high, share = _neighbours(blocks.shape[axis], n, step)
    share = share[:, None] if axis == 0 else share
    below = blocks.take(low, axis=axis)
    rise = blocks.take(high, axis=axis)
    rise -= below
    rise *= share
    rise += below
    return rise


@lru_cache(maxsize=8)
def _neighbours(m: int, n: int, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of n pixels: the blocks below and above its centre, out of m, and its place."""
    position = np.clip((np.arange(n) + 0.5) / step - 0.5, 0, m - 1)
    low = np.minimum(position.astype(np.intp), max(m - 2, 0))
    return low, np.minimum(low + 1, m - 1), (position - low).astype(np.float32)
