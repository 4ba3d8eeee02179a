"""Upload a file in a notebook and read its answer; the work is done by plain functions that need no browser."""

import html
from collections.abc import Callable, Mapping

from ._bundle import Bundle, answer
from ._card import NOTE

MAX_UPLOAD = 20_000_000  # bytes


def uploaded(value) -> list[tuple[str, bytes]]:
    """Name and content of each uploaded file, from `FileUpload.value` of ipywidgets 7 (a dict) or 8 (a tuple).

    Version 7: {name: {"content": bytes, ...}}; version 8: ({"name": ..., "content": memoryview, ...}, ...).
    Introduced in lesson 13.
    """
    if isinstance(value, Mapping):
        value = [{"name": name, **dict(file)} for name, file in value.items()]
    return [(str(file["name"]), bytes(file["content"])) for file in value]


def upload_report(bundle: Bundle, name: str, content: bytes, max_bytes: int = MAX_UPLOAD) -> tuple[str, dict]:
    """What the page shows for one uploaded file: HTML in which every foreign text is escaped, and the answer.

    A file that is too large is refused before it is decoded, with the reason as for any other. Lesson 13.
    """
    if len(content) > max_bytes:
        reason = f"The file has {len(content) / 1e6:.1f} MB; at most {max_bytes / 1e6:.0f} MB are accepted."
        found = {"file": name, "accepted": False, "reason": reason, "note": NOTE, "image": None, "map": None}
    else:
        found = answer(bundle, content, name=name)
    return _page(found, bundle), found


def _page(found: Mapping, bundle: Bundle) -> str:
    lines = [f"<b>{html.escape(found['file'])}</b>"]
    if found["accepted"]:
        if bundle.conformal_limit is not None:
            lines.append(f"Set: {html.escape(', '.join(found['set'])) or 'empty, no class is likely enough'}")
        lines.append(f"Most probable: {html.escape(found['predicted'])}")
        shares = ", ".join(f"{html.escape(c)} {p:.2f}" for c, p in found["probabilities"].items())
        lines.append(f"Probabilities: {shares}")
        if bundle.positive is not None:
            called = "yes" if found["called_positive"] else "no"
            lines.append(f"Called {html.escape(bundle.positive)}, from {bundle.threshold:.2f}: {called}")
    else:
        lines.append(f"Refused: {html.escape(found['reason'])}")
    return "<br>".join([*lines, f"<i>{html.escape(found['note'])}</i>"])


def upload_widget(bundle: Bundle, picture: Callable[[dict], object] | None = None, max_bytes: int = MAX_UPLOAD):
    """A button to upload files, and below it the answer to each: an ipywidgets box, the same in versions 7 and 8.

    `picture`: makes a picture of an answer (such as `plots.answer`), shown where there is an image.
    Introduced in lesson 13.
    """
    import ipywidgets

    button = ipywidgets.FileUpload(accept="image/*,.dcm", multiple=True, description="Radiograph")
    shown = ipywidgets.VBox([ipywidgets.HTML(f"<i>{NOTE}</i>")])

    def show(change) -> None:
        parts = []
        for name, content in uploaded(change["new"]):
            text, found = upload_report(bundle, name, content, max_bytes)
            parts.append(ipywidgets.HTML(text))
            if picture is not None and found["image"] is not None:
                parts.append(ipywidgets.Image(value=picture(found).png(), format="png", width=600))
        shown.children = tuple(parts)

    button.observe(show, names="value")
    return ipywidgets.VBox([button, shown])
