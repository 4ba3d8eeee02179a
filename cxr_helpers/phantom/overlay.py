"""What is not the patient: lines, tubes and leads in the beam; letters, dates and edges on the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .frame import Frame, blur, splat
from .patient import Patient, stream
from .soft import Chest

DEVICES = ("leads", "tube", "line", "feeding", "drain", "pacemaker")


def draw_devices(frame: Frame, patient: Patient, chest: Chest, kinds: str, seed: int) -> np.ndarray:
    """Return attenuation (no unit) of the devices named in `kinds` ("leads+tube"), (size, size) float32.

    Values below 0.02 are cut to zero, so `> 0` is the mask. Raises ValueError for an unknown device. Lesson 09.
    """
    total = np.zeros_like(frame.x)
    if not kinds:
        return total
    for kind in filter(None, str(kinds).split("+")):
        if kind not in DEVICES:
            raise ValueError(f"device {kind!r} is not one of {DEVICES}")
        rng = stream(seed, "device", kind)
        total += _wires(frame, _DRAW[kind](patient, chest, rng))
        if kind == "leads":
            total += _pads(frame, chest, patient, stream(seed, "device", "leads"))
        if kind == "pacemaker":
            total += _can(frame, patient, rng)
    total *= total > 0.02
    return total


def _curve(points: list, count: int = 500) -> list[np.ndarray]:
    """Smooth curve through points: a Catmull-Rom spline."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, len(p) - 3 - 1e-6, count)
    k, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    q = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    return [q[:, 0], q[:, 1]]


def _wires(frame: Frame, wires: list) -> np.ndarray:
    """Draw wires given as x, y, radius (cm), density (1/cm); one blur serves all, they are thinner than a pixel."""
    x, y = (np.concatenate([w[k] for w in wires]) for k in (0, 1))
    volume = np.concatenate([w[3] * np.pi * w[2] ** 2 * np.hypot(np.gradient(w[0]), np.gradient(w[1])) for w in wires])
    return blur(splat(frame, x, y, volume), max(0.5, 0.7 * wires[0][2] / frame.px))


def _electrodes(chest: Chest, patient: Patient, rng: np.random.Generator) -> list:
    w, h = patient.half_width, chest.lungs_height
    spots = [(-0.62 * w, -0.02 * h), (0.66 * w, 0.0), (0.86 * w, 0.92 * h), (-0.80 * w, 0.95 * h)][: rng.integers(2, 5)]
    return [(x + rng.normal(0, 1.0), y + rng.normal(0, 1.2)) for x, y in spots]


def _leads(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    w, h = patient.half_width, chest.lungs_height
    wires = []
    for x, y in _electrodes(chest, patient, rng):
        end = (np.sign(x) * w * rng.uniform(1.0, 1.5), h * rng.uniform(1.0, 1.5))
        mid = ((x + end[0]) / 2 + rng.normal(0, 2.5), (y + end[1]) / 2 + rng.normal(0, 2.5))
        wires.append((*_curve([(x, y), mid, end]), 0.06, float(rng.uniform(6, 14))))
    return wires


def _pads(frame: Frame, chest: Chest, patient: Patient, rng: np.random.Generator) -> np.ndarray:
    total = np.zeros_like(frame.x)
    for x, y in _electrodes(chest, patient, rng):
        r2 = (frame.x - x) ** 2 + (frame.y - y) ** 2
        total += 0.10 * np.clip((1.25 - np.sqrt(r2)) * 4, 0, 1) + 0.9 * np.clip((0.42 - np.sqrt(r2)) * 6, 0, 1)
    return total


def _tube(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    tip, s = chest.lungs_height * rng.uniform(0.12, 0.24), patient.scale
    lines = [(o + 0.25 * rng.normal(), -12.0 * s) for o in (0,)] + [(0.15, -5 * s), (-0.1, 0.0), (-0.15 * s, tip)]
    x, y = _curve(lines)
    return [(x - 0.38 * s, y, 0.10, 3.0), (x + 0.38 * s, y, 0.10, 3.0), (x + 0.1, y, 0.06, 9.0)]


def _line(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    s, h = patient.scale, chest.lungs_height
    return [
        (
            *_curve(
                [(-5.5 * s, -6 * s), (-4.6 * s, -1.5 * s), (-2.6 * s, 2.5 * s), (-2.3 * s, h * rng.uniform(0.3, 0.5))]
            ),
            0.10,
            7.0,
        )
    ]


def _feeding(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    s, h = patient.scale, chest.lungs_height
    path = [(0.3, -12 * s), (0.2, 0), (0.5, 0.5 * h), (1.2, 0.95 * h), (4.0 * s, 1.12 * h), (7.0 * s, 1.2 * h)]
    return [(*_curve([(x + rng.normal(0, 0.2), y) for x, y in path]), 0.13, 5.0)]


def _drain(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    w, h, side = patient.half_width, chest.lungs_height, (1 if rng.random() < 0.5 else -1)
    path = [(1.35 * w, 0.95 * h), (1.0 * w, 0.72 * h), (0.7 * w, 0.42 * h), (0.52 * w, h * rng.uniform(0.08, 0.2))]
    x, y = _curve(path)
    return [(side * x - 0.22, y, 0.09, 5.0), (side * x + 0.22, y, 0.09, 5.0)]


def _pacemaker(patient: Patient, chest: Chest, rng: np.random.Generator) -> list:
    s, h = patient.scale, chest.lungs_height
    path = [
        (8.5 * s, 2.5 * s),
        (5.5 * s, 0.8 * s),
        (0.5 * s, 2.0 * s),
        (-2.6 * s, 0.35 * h),
        (-2.4 * s, 0.75 * h),
        (3.4 * s, 0.97 * h),
    ]
    return [(*_curve(path, 700), 0.07, 10.0)]


def _can(frame: Frame, patient: Patient, rng: np.random.Generator) -> np.ndarray:
    s = patient.scale
    q = np.abs((frame.x - 9.2 * s) / 2.3) ** 3 + np.abs((frame.y - 3.4 * s) / 2.0) ** 3
    return np.clip((1 - q) * 3, 0, 1) * (0.9 + 0.7 * np.clip((0.45 - q) * 4, 0, 1) + 0.3 * (frame.y > 3.4 * s))


_DRAW = {"leads": _leads, "tube": _tube, "line": _line, "feeding": _feeding, "drain": _drain, "pacemaker": _pacemaker}


@lru_cache(maxsize=64)
def _font(size: int):
    return ImageFont.load_default(size=size)


@lru_cache(maxsize=512)
def _glyphs(text: str, height: int, angle: int, ring: bool, initials: str = "") -> np.ndarray:
    """Opacity 0-1 of a line of text `height` pixels tall, turned by `angle` degrees, in a ringed disc if asked.

    initials: small letters below, as a radiographer's own lead marker carries them.
    """
    big = 4 * height
    font = _font(big)
    left, top, right, bottom = font.getbbox(text)
    margin = big // 2 if ring else 4
    tile = Image.new("L", (right - left + 2 * margin + big * bool(initials), bottom - top + 2 * margin), 0)
    if initials:
        tile = Image.new("L", (tile.width, int(1.6 * tile.height)), 0)
    pen = ImageDraw.Draw(tile)
    if ring:
        side = max(tile.size)
        tile = Image.new("L", (side, side), 0)
        pen = ImageDraw.Draw(tile)
        pen.ellipse((2, 2, side - 3, side - 3), outline=255, width=max(3, big // 10))
        pen.text(
            ((side - right - left) // 2, (side - bottom - top) // 2), text, fill=255, font=font, stroke_width=big // 22
        )
    else:
        pen.text((margin - left, margin - top), text, fill=255, font=font, stroke_width=big // 22)
        pen.text((margin, bottom - top + 2 * margin), initials, fill=215, font=_font(big // 2))
    tile = tile.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    size = (max(1, tile.width // 4), max(1, tile.height // 4))
    alpha = np.asarray(tile.resize(size, Image.Resampling.BOX), np.float32) / 255
    return np.where(alpha > 0.04, np.float32(0.95) * alpha, 0)


def draw_marker(size: int, text: str, style: str, seed: int) -> np.ndarray:
    """Return the opacity (size, size) float32 of the letters in `text`; pieces separated by "|" are placed apart.

    L goes to the viewer's right and R to the left, as on a film; words go to a corner. Lesson 09.
    """
    alpha = np.zeros((size, size), np.float32)
    rng, below = stream(seed, "marker"), 0
    for piece in filter(None, text.split("|")):
        letter = piece in ("L", "R")
        unit = size / 224
        height = int((rng.uniform(9, 14) if letter else rng.uniform(5.5, 7.5)) * unit) + 1
        angle = int(rng.normal(0, 9 if style == "lead" else 3)) if letter else 0
        name = "".join(rng.choice(list("ABCDEGHJKLMNPRST"), 2)) if rng.random() < 0.6 else ""
        name = name if letter and style == "lead" else ""
        tile = _glyphs(piece, height, angle, letter and style == "plate", name)
        right = piece.startswith("L") if letter else rng.random() < 0.5
        edge = rng.uniform(0.02, 0.09) * size
        x = int(size - edge - tile.shape[1]) if right else int(edge)
        y = max(int(size * (rng.uniform(0.02, 0.16) if letter else rng.uniform(0.02, 0.32))), below)
        below = y + tile.shape[0] + 2
        h, w = min(tile.shape[0], size - y), min(tile.shape[1], size - max(x, 0))
        x = max(x, 0)
        alpha[y : y + h, x : x + w] = np.maximum(alpha[y : y + h, x : x + w], tile[:h, :w])
    return alpha


def draw_border(size: int, chance: float, seed: int) -> np.ndarray:
    """Return True where the collimator or the edge of the detector leaves the image black, (size, size) bool."""
    rng = stream(seed, "border")
    black = np.zeros((size, size), bool)
    if rng.random() >= chance:
        return black
    for k in rng.permutation(4)[: rng.integers(1, 3)]:
        strip = np.arange(size)[None, :] < size * rng.uniform(0.004, 0.055)
        black |= (strip, strip[:, ::-1], strip.T, strip.T[::-1])[k]
    return black
