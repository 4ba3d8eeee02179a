"""Heat maps of a network's answer, and what a score of theirs is over many images.

    maps = explain.grad_cam(model, images, target=1)  # or explain.occlusion, for any model
    explain.average(scores, table)                    # one score per image: mean, interval, n

A map says where a change would change the answer of a model. It gives no reason, and a good score
does not make the answer right. For education, never for diagnosis.
"""

from ._maps import grad_cam, occlusion
from ._scores import average

__all__ = [
    "average",
    "grad_cam",
    "occlusion",
]
