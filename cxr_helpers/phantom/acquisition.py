"""From attenuation to grey levels, per site: scatter, quantum noise, detector, logarithm, window, border.

    I = I0 (exp(-A) + scatter),  N = λ + √λ · z,  g = tone((c · (-ln N/N_ref) − ln e − lo) / (hi − lo))

The window (lo, hi) belongs to the site and is the same for all its images. What varies from image to image is drawn
from the seed and stated in the truth: the exposure e (dose times detector gain) and the contrast c (tube voltage,
grid). N_ref is what the automatic exposure control reads behind the lungs before any lesion, marker or device is
there, and z is fixed by the seed: nothing in the grey scale can answer to a lesion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from .frame import blur
from .patient import stream

MU_SOFT = 0.19  # 1/cm, water at about 70 keV
MU_LUNG = 0.050
MU_BONE = 0.30  # excess over soft tissue
MU_METAL = 3.0


@dataclass(frozen=True)
class Site:
    """Equipment and processing of one hospital; a change here never touches the anatomy. Introduced in lesson 09."""

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
    "A": Site("A", 0.60, 1.6e6, 0.72, -2.04, 2.42, 0.95, 0.16, 0.10, 0.0, 0.22, "lead", 92, 0.45, 0.92),
    "B": Site("B", 0.35, 6e5, 0.46, -2.10, 2.60, 1.00, 0.10, 0.08, 1.0, 0.2, "burnt", 88, 0.38, 1.50),
    "C": Site("C", 1.00, 1.6e6, 0.52, -2.03, 2.17, 0.97, 0.17, 0.11, 0.0, 0.3, "plate", 80, 0.42, 0.88),
}


@dataclass(frozen=True)
class Exposure:
    """All that is fixed before a lesion is drawn: exposure, contrast, noise, tone curve. Introduced in lesson 09."""

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
    base: np.ndarray, lung: np.ndarray, site: Site, seed: int, *, scatter=True, noise=True, filters=True
) -> Exposure:
    """Fix reference, exposure, noise field and tone curve before a lesion: `base` is the lesion-free attenuation."""
    rng = stream(seed, "acquisition")
    reference = float(np.exp(-base[lung].mean())) if lung.any() else float(np.exp(-base.mean()))
    contrast = float(np.exp(rng.normal(0, site.contrast)))
    dose = float(np.exp(rng.normal(0, site.brightness)))
    z = stream(seed, "noise").standard_normal(base.shape, np.float32)
    exposure = Exposure(site, reference, z, dose, contrast, None, scatter, noise, filters)
    if not site.equalise:
        return exposure
    flat = _window(_logarithm(base[::2, ::2], replace(exposure, noisy=False)), exposure)
    counts = np.bincount((flat.ravel() * 255).astype(np.intp), minlength=256).astype(float)
    counts = np.minimum(counts, 5.0 * counts.mean())
    curve = (np.cumsum(counts) - 0.5 * counts) / counts.sum()
    curve = np.clip(curve - 0.009 * (1 - curve) ** 2, 0, 1)  # a toe: air is a little darker than evenly spread
    curve = site.equalise * curve + (1 - site.equalise) * np.linspace(0, 1, 256)
    return replace(exposure, levels=curve.astype(np.float32))


def expose(attenuation: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Turn attenuation (size, size) into grey levels 0-1 of the same shape, white = dense."""
    grey = _window(_logarithm(attenuation, exposure), exposure)
    if exposure.levels is None:
        return grey
    index = grey * 255
    i = np.minimum(index.astype(np.intp), 254)
    a = exposure.levels
    return a[i] + (a[i + 1] - a[i]) * (index - i)


def _logarithm(attenuation: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Detector signal: minus the logarithm of the exposure relative to the lungs."""
    site, scale = exposure.site, attenuation.shape[0] / 224
    signal = np.exp(-attenuation) / np.float32(exposure.reference)
    if exposure.scatter:
        signal = (signal + site.scatter * _broad(np.minimum(signal, 3.0), 20 * scale)) / np.float32(1 + site.scatter)
    if exposure.noisy:
        count = site.photons / scale**2 * signal
        signal = np.maximum(count + np.sqrt(count) * exposure.noise, 1) / np.float32(site.photons / scale**2)
    value = -np.log(signal)
    if exposure.filters:
        value = blur(value, site.psf * scale)
        even = ndimage.uniform_filter(value, max(3, round(5 * scale)), mode="nearest")
        value = value * np.float32(1 + site.unsharp) - np.float32(site.unsharp) * even
    return value


def _window(value: np.ndarray, exposure: Exposure) -> np.ndarray:
    """The site's window with a soft toe and shoulder, then its gamma."""
    site, dose = exposure.site, float(np.log(exposure.exposure))
    t = (np.float32(exposure.contrast) * value - np.float32(dose + site.low)) / np.float32(site.high - site.low)
    t = np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(1.15) * (2 * t - 1)) / np.float32(np.tanh(1.15))
    t = np.clip(t, 0.02, 0.995)
    return t if exposure.site.gamma == 1 else t ** np.float32(exposure.site.gamma)


def _broad(image: np.ndarray, sigma: float) -> np.ndarray:
    """Wide blur computed on blocks: mean over blocks, Gaussian, linear interpolation back."""
    step = max(1, int(sigma // 2.5))
    n = image.shape[0]
    pad = -n % step
    padded = np.pad(image, ((0, pad), (0, pad)), mode="edge") if pad else image
    m = padded.shape[0] // step
    small = padded.reshape(m, step, m * step).sum(1).reshape(m, m, step).sum(2) * np.float32(1 / step**2)
    small = ndimage.gaussian_filter(small, sigma / step, mode="nearest", truncate=3)
    return np.ascontiguousarray(_stretch(_stretch(small, n, step).T.copy(), n, step).T)


def _stretch(rows: np.ndarray, n: int, step: int) -> np.ndarray:
    """Interpolate rows (m, k) linearly to (n, k), `step` apart."""
    m = rows.shape[0]
    position = np.clip((np.arange(n) + 0.5) / step - 0.5, 0, m - 1)
    i = np.minimum(position.astype(np.intp), m - 2)
    f = (position - i).astype(np.float32)[:, None]
    return rows[i] * (1 - f) + rows[i + 1] * f
