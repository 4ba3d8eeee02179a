"""Procedural frontal chest radiographs with complete ground truth; the embedded data set, CC0.

    table = phantom.design("default", n=12, seed=1)     # one row per image
    drawn = phantom.render(table.iloc[0])               # image, masks, truth
    images = phantom.write(table, "data/twelve")        # folders that the importer reads

A phantom is neither a patient nor evidence about one. For education, never for diagnosis.
"""

from .cohort import LAYOUTS, MASKS, cached, cohort_key, folder_of, mask_file, read_masks, write
from .designs import design, presets
from .patient import Patient, Pose, draw_patient, draw_pose
from .rendering import RENDERER_VERSION, Rendering, render

__all__ = [
    "LAYOUTS",
    "MASKS",
    "RENDERER_VERSION",
    "Patient",
    "Pose",
    "Rendering",
    "cached",
    "cohort_key",
    "design",
    "draw_patient",
    "draw_pose",
    "folder_of",
    "mask_file",
    "presets",
    "read_masks",
    "render",
    "write",
]
