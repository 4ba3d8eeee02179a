"""From a trained network to something usable: one file in, one answer out, small files, a card.

    files = deploy.export(model, "exported")              # LiteRT and ONNX
    deploy.parity(model, files, images)                   # on a whole set, never on one image
    deploy.save_bundle("bundle", model, classes=..., preprocessing=..., card=deploy.model_card(...))
    deploy.answer(deploy.load_bundle("bundle"), "radiograph.png")

For education, never for diagnosis.
"""

from ._bundle import Bundle, answer, load_bundle, save_bundle, score
from ._card import CardError, model_card
from ._export import FORMATS, export, keras_runner, latency, parity, run_exported
from ._reading import BundleError
from ._widget import upload_report, upload_widget, uploaded

__all__ = [
    "FORMATS",
    "Bundle",
    "BundleError",
    "CardError",
    "answer",
    "export",
    "keras_runner",
    "latency",
    "load_bundle",
    "model_card",
    "parity",
    "run_exported",
    "save_bundle",
    "score",
    "upload_report",
    "upload_widget",
    "uploaded",
]
