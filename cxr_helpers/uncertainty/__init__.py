"""When a model should not answer, or not with one class.

Input gate, conformal sets, ensembles.

Everything reads images (n, size, size) or the table of predictions. Limits are set on held-out
clean images or on calibration rows, never on what is reported afterwards.
"""

from ._conformal import conformal_limit, prediction_sets
from ._ensemble import ensemble
from ._gate import Gate, check_gate, fit_gate, gate_from_dict, gate_scores, gate_to_dict
from ._shares import share

__all__ = [
    "Gate",
    "check_gate",
    "conformal_limit",
    "ensemble",
    "fit_gate",
    "gate_from_dict",
    "gate_scores",
    "gate_to_dict",
    "prediction_sets",
    "share",
]
