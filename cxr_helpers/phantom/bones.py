"""Bones: ribs, shoulder girdle, spine, as centimetres of bone beyond soft tissue."""

from __future__ import annotations

import numpy as np

from .frame import Frame
from .patient import Patient
from .ribs import draw_ribs
from .shoulders import add_shoulders, draw_clavicles
from .soft import Chest
from .spine import add_spine


def draw_bones(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return the bone thickness, (size, size) float32 in cm of bone excess."""
    bone = chest.aerated * 0.62  # ribs are hardly seen through heart and abdomen
    bone += 0.38
    bone *= draw_ribs(frame, patient, chest)
    rows, clavicles = draw_clavicles(frame, patient)
    bone[rows] += clavicles
    add_spine(frame, patient, chest, bone)
    add_shoulders(frame, patient, bone)
    bone *= patient.bone
    return bone
