"""Heat maps and their worth: Grad-CAM and occlusion, scored against the truth and controls.

    maps = {"Grad-CAM": explain.grad_cam(model, images, target=1), "centred":
    explain.centred(images)} explain.localisation(maps, masks, table)          # energy inside,
    pointing game, each with interval and n

A map says where a change would change the answer of a model. It gives no reason, and a good score
does not make the answer right. For education, never for diagnosis. Introduced in lesson 10.
"""

from ._controls import SHARES, deletion, randomised, similarity
from ._maps import centred, grad_cam, occlusion, random_maps
from ._scores import average, localisation, map_scores

__all__ = [
    "SHARES",
    "average",
    "centred",
    "deletion",
    "grad_cam",
    "localisation",
    "map_scores",
    "occlusion",
    "random_maps",
    "randomised",
    "similarity",
]
