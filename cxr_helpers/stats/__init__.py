"""Value, interval and paired difference of grouped numbers: arrays in, frozen dataclasses out.

A group is what was drawn independently of all others, such as a patient; its images are not
independent. Every interval here asks how much the figure moves when a group is left out. NumPy and
SciPy only.
"""

from ._estimates import (
    FEWEST,
    Difference,
    Estimate,
    centred,
    groups_needed,
    loss,
    mean,
    proportion,
    share,
)
from ._intervals import check_level, wilson
from ._jackknife import BLOCKS, auc, auc_without_each, blocks, standard_error
from ._paired import delong, difference, identical, mcnemar_exact, swap_p

__all__ = [
    "BLOCKS",
    "FEWEST",
    "Difference",
    "Estimate",
    "auc",
    "auc_without_each",
    "blocks",
    "centred",
    "check_level",
    "delong",
    "difference",
    "groups_needed",
    "identical",
    "loss",
    "mcnemar_exact",
    "mean",
    "proportion",
    "share",
    "standard_error",
    "swap_p",
    "wilson",
]
