"""The course's networks: those of the cases as described, a compact one, pretrained backbones.

Each takes grey levels 0-255 of shape (size, size, 1) and scales them in its first layers, so
that training and serving cannot differ. Where a description is silent, the choice is ours
and the docstring says so.
"""

from ._backbones import BACKBONES, IMAGENET, backbone, fine_tuning, stages
from ._legacy import WeightsError
from ._networks import case_a, case_c, case_e, compact, darkcovidnet
from ._recipes import RECIPES, Recipe

__all__ = [
    "BACKBONES",
    "IMAGENET",
    "RECIPES",
    "Recipe",
    "WeightsError",
    "backbone",
    "case_a",
    "case_c",
    "case_e",
    "compact",
    "darkcovidnet",
    "fine_tuning",
    "stages",
]
