"""What is not the patient: lines, tubes and leads in the beam; letters, dates and edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .frame import Frame
from .grain import blur
from .patient import Patient, stream
from .points import splat
from .soft import Chest

DEVICES = ("leads", "tube", "line", "feeding", "drain", "pacemaker")


@dataclass(frozen=True)
class Wire:
    """A line of metal or plastic: points of its course in cm, radius in cm, attenuation in 1/cm."""

    x: np.ndarray
    y: np.ndarray
    radius: float
    density: float

    def volume(self) -> np.ndarray:
        """Volume that each point stands for times the density, cm²."""
        steps = np.hypot(np.gradient(self.x), np.gradient(self.y))
        return self.density * np.pi * self.radius**2 * steps


def draw_devices(frame: Frame, patient: Patient, chest: Chest, kinds: str, seed: int) -> np.ndarray:
    """Attenuation (no unit) of the devices in `kinds` ("leads+tube"), (size, size) float32.

    Values below 0.02 are cut to zero, so `> 0` is the mask. Raises ValueError for an unknown
    device.
    """
    total = np.zeros_like(frame.x)
    if not kinds:
        return total
    for kind in filter(None, str(kinds).split("+")):
        if kind not in DEVICES:
            raise ValueError(f"device {kind!r} is not one of {DEVICES}")
        rng = stream(seed, "device", kind)
        total += _draw_wires(frame, _WIRES[kind](patient, chest, rng))
        if kind == "leads":
            total += _pads(frame, chest, patient, stream(seed, "device", "leads"))
        if kind == "pacemaker":
            total += _generator(frame, patient)
    total *= total > 0.02
    return total


def _draw_wires(frame: Frame, wires: list[Wire]) -> np.ndarray:
    """Draw the wires of one device; one blur serves all, they are thinner than a pixel."""
    x = np.concatenate([wire.x for wire in wires])
    y = np.concatenate([wire.y for wire in wires])
    volume = np.concatenate([wire.volume() for wire in wires])
    return blur(splat(frame, x, y, volume), max(0.5, 0.7 * wires[0].radius / frame.px))


def _curve(points: list[tuple[float, float]], count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a smooth curve through points: a Catmull-Rom spline."""
    knots = np.asarray(points, float)
    before = 2 * knots[:1] - knots[1:2]
    after = 2 * knots[-1:] - knots[-2:-1]
    knots = np.concatenate([before, knots, after])
    way = np.linspace(0, len(knots) - 3 - 1e-6, count)
    piece, t = way.astype(int), (way % 1)[:, None]
    a, b, c, d = knots[piece], knots[piece + 1], knots[piece + 2], knots[piece + 3]
    course = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return course[:, 0], course[:, 1]


def _electrodes(
    chest: Chest, patient: Patient, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Where two to four electrodes stick: below the shoulders, then at the costal margins."""
    width, height = patient.half_width, chest.lungs_height
    usual = [
        (-0.62 * width, -0.02 * height),
        (0.66 * width, 0.0),
        (0.86 * width, 0.92 * height),
        (-0.80 * width, 0.95 * height),
    ]
    used = usual[: rng.integers(2, 5)]
    return [(x + rng.normal(0, 1.0), y + rng.normal(0, 1.2)) for x, y in used]


def _leads(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Monitoring leads from the electrodes down and out of the image."""
    width, height = patient.half_width, chest.lungs_height
    wires = []
    for begin_x, begin_y in _electrodes(chest, patient, rng):
        end_x = np.sign(begin_x) * width * rng.uniform(1.0, 1.5)
        end_y = height * rng.uniform(1.0, 1.5)
        middle_x = (begin_x + end_x) / 2 + rng.normal(0, 2.5)
        middle_y = (begin_y + end_y) / 2 + rng.normal(0, 2.5)
        x, y = _curve([(begin_x, begin_y), (middle_x, middle_y), (end_x, end_y)])
        wires.append(Wire(x=x, y=y, radius=0.06, density=float(rng.uniform(6, 14))))
    return wires


def _pads(frame: Frame, chest: Chest, patient: Patient, rng: np.random.Generator) -> np.ndarray:
    """The electrodes themselves: faint discs with a dense button."""
    total = np.zeros_like(frame.x)
    for x, y in _electrodes(chest, patient, rng):
        away = np.sqrt((frame.x - x) ** 2 + (frame.y - y) ** 2)
        total += 0.10 * np.clip((1.25 - away) * 4, 0, 1) + 0.9 * np.clip((0.42 - away) * 6, 0, 1)
    return total


def _tube(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Endotracheal tube: two walls and an opaque stripe, its tip above the carina."""
    scale = patient.scale
    tip = chest.lungs_height * rng.uniform(0.12, 0.24)
    mouth = (0.25 * rng.normal(), -12.0 * scale)
    x, y = _curve([mouth, (0.15, -5 * scale), (-0.1, 0.0), (-0.15 * scale, tip)])
    right_wall = Wire(x=x - 0.38 * scale, y=y, radius=0.10, density=3.0)
    left_wall = Wire(x=x + 0.38 * scale, y=y, radius=0.10, density=3.0)
    stripe = Wire(x=x + 0.1, y=y, radius=0.06, density=9.0)
    return [right_wall, left_wall, stripe]


def _line(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Central venous line from the right side of the neck into the upper vena cava."""
    scale = patient.scale
    tip = (-2.3 * scale, chest.lungs_height * rng.uniform(0.3, 0.5))
    neck = [(-5.5 * scale, -6 * scale), (-4.6 * scale, -1.5 * scale)]
    x, y = _curve([*neck, (-2.6 * scale, 2.5 * scale), tip])
    return [Wire(x=x, y=y, radius=0.10, density=7.0)]


def _feeding(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Feeding tube down the oesophagus into the stomach."""
    scale, height = patient.scale, chest.lungs_height
    oesophagus = [(0.3, -12 * scale), (0.2, 0), (0.5, 0.5 * height), (1.2, 0.95 * height)]
    stomach = [(4.0 * scale, 1.12 * height), (7.0 * scale, 1.2 * height)]
    x, y = _curve([(x + rng.normal(0, 0.2), y) for x, y in oesophagus + stomach])
    return [Wire(x=x, y=y, radius=0.13, density=5.0)]


def _drain(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Chest drain of either side, from the flank to the apex: two walls."""
    width, height = patient.half_width, chest.lungs_height
    side = 1 if rng.random() < 0.5 else -1
    tip = (0.52 * width, height * rng.uniform(0.08, 0.2))
    x, y = _curve(
        [
            (1.35 * width, 0.95 * height),
            (1.0 * width, 0.72 * height),
            (0.7 * width, 0.42 * height),
            tip,
        ]
    )
    return [
        Wire(x=side * x - 0.22, y=y, radius=0.09, density=5.0),
        Wire(x=side * x + 0.22, y=y, radius=0.09, density=5.0),
    ]


def _pacemaker(patient: Patient, chest: Chest, rng: np.random.Generator) -> list[Wire]:
    """Pacemaker lead from below the left clavicle to the tip of the right ventricle.

    `_generator` draws its box.
    """
    scale, height = patient.scale, chest.lungs_height
    subclavian = [
        (8.5 * scale, 2.5 * scale),
        (5.5 * scale, 0.8 * scale),
        (0.5 * scale, 2.0 * scale),
    ]
    cava_and_atrium = [(-2.6 * scale, 0.35 * height), (-2.4 * scale, 0.75 * height)]
    tip = (3.4 * scale, 0.97 * height)
    x, y = _curve([*subclavian, *cava_and_atrium, tip], 700)
    return [Wire(x=x, y=y, radius=0.07, density=10.0)]


def _generator(frame: Frame, patient: Patient) -> np.ndarray:
    """A pacemaker's box with its battery in the lower half."""
    scale = patient.scale
    away = np.abs((frame.x - 9.2 * scale) / 2.3) ** 3 + np.abs((frame.y - 3.4 * scale) / 2.0) ** 3
    box = np.clip((1 - away) * 3, 0, 1)
    core = 0.7 * np.clip((0.45 - away) * 4, 0, 1)
    battery = 0.3 * (frame.y > 3.4 * scale)
    return box * (0.9 + core + battery)


_WIRES = {
    "leads": _leads,
    "tube": _tube,
    "line": _line,
    "feeding": _feeding,
    "drain": _drain,
    "pacemaker": _pacemaker,
}


@lru_cache(maxsize=64)
def _font(size: int):
    return ImageFont.load_default(size=size)


@lru_cache(maxsize=512)
def _glyphs(text: str, height: int, angle: int, ring: bool, initials: str = "") -> np.ndarray:
    """Opacity 0-1 of a line of text, `height` pixels tall, turned by `angle` degrees.

    In a ringed disc if asked.

    initials: small letters below, as a radiographer's own lead marker carries them; not in a disc.
    """
    big = 4 * height  # drawn four times as large, then reduced
    tile = _in_a_disc(text, big) if ring else _on_a_line(text, initials, big)
    tile = tile.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    size = (max(1, tile.width // 4), max(1, tile.height // 4))
    alpha = np.asarray(tile.resize(size, Image.Resampling.BOX), np.float32) / 255
    return np.where(alpha > 0.04, np.float32(0.95) * alpha, 0)


def _on_a_line(text: str, initials: str, big: int) -> Image.Image:
    font, margin = _font(big), 4
    left, top, right, bottom = font.getbbox(text)
    width = right - left + 2 * margin
    height = bottom - top + 2 * margin
    size = (width + big, int(1.6 * height)) if initials else (width, height)
    tile = Image.new("L", size, 0)
    pen = ImageDraw.Draw(tile)
    pen.text((margin - left, margin - top), text, fill=255, font=font, stroke_width=big // 22)
    pen.text((margin, height), initials, fill=215, font=_font(big // 2))
    return tile


def _in_a_disc(text: str, big: int) -> Image.Image:
    font, margin = _font(big), big // 2
    left, top, right, bottom = font.getbbox(text)
    side = max(right - left, bottom - top) + 2 * margin
    tile = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(tile)
    pen.ellipse((2, 2, side - 3, side - 3), outline=255, width=max(3, big // 10))
    place = ((side - right - left) // 2, (side - bottom - top) // 2)
    pen.text(place, text, fill=255, font=font, stroke_width=big // 22)
    return tile


def draw_marker(size: int, text: str, style: str, seed: int) -> np.ndarray:
    """Opacity (size, size) float32 of the letters in `text`; pieces between "|" stand apart.

    L goes to the viewer's right and R to the left, as radiographers place them; words go to a
    corner. style: "lead" (turned a little, often with initials), "plate" (a letter in a ringed
    disc) or "burnt".
    """
    alpha = np.zeros((size, size), np.float32)
    rng = stream(seed, "marker")
    lowest = 0  # row below what is already there
    for piece in filter(None, text.split("|")):
        is_side = piece in ("L", "R")
        tile = _side_marker(piece, size, style, rng) if is_side else _word(piece, size, rng)
        at_right = piece.startswith("L") if is_side else rng.random() < 0.5
        edge = rng.uniform(0.02, 0.09) * size
        left = max(int(size - edge - tile.shape[1]) if at_right else int(edge), 0)
        top = max(int(size * rng.uniform(0.02, 0.16 if is_side else 0.32)), lowest)
        lowest = top + tile.shape[0] + 2
        tall = max(0, min(tile.shape[0], size - top))  # what finds no room is left out
        wide = min(tile.shape[1], size - left)
        block = alpha[top : top + tall, left : left + wide]
        np.maximum(block, tile[:tall, :wide], out=block)
    return alpha


def _side_marker(letter: str, size: int, style: str, rng: np.random.Generator) -> np.ndarray:
    height = _text_height(size, rng.uniform(9, 14))
    angle = int(rng.normal(0, 9 if style == "lead" else 3))
    initials = _draw_initials(rng)
    return _glyphs(letter, height, angle, style == "plate", initials if style == "lead" else "")


def _word(text: str, size: int, rng: np.random.Generator) -> np.ndarray:
    height = _text_height(size, rng.uniform(5.5, 7.5))
    _draw_initials(rng)  # a word shows none; what is drawn next must not depend on it
    return _glyphs(text, height, 0, False)


def _text_height(size: int, at_224: float) -> int:
    return int(at_224 * (size / 224)) + 1


def _draw_initials(rng: np.random.Generator) -> str:
    """A radiographer's two initials, or none."""
    if rng.random() < 0.6:
        return "".join(rng.choice(list("ABCDEGHJKLMNPRST"), 2))
    return ""


def draw_border(size: int, chance: float, seed: int) -> np.ndarray:
    """True where collimator or detector edge leave the image black, (size, size) bool."""
    rng = stream(seed, "border")
    black = np.zeros((size, size), bool)
    if rng.random() >= chance:
        return black
    for edge in rng.permutation(4)[: rng.integers(1, 3)]:
        width = size * rng.uniform(0.004, 0.055)
        left = np.arange(size)[None, :] < width
        right, top, bottom = left[:, ::-1], left.T, left.T[::-1]
        black |= (left, right, top, bottom)[edge]
    return black
