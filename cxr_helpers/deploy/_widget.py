"""Upload a file in a notebook and read its answer; plain functions do the work, no browser."""

import base64
import html
import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ._bundle import Bundle, answer
from ._card import NOTE

LOG = logging.getLogger(__name__)
MAX_UPLOAD = 30_000_000  # bytes of one file: a large radiograph as DICOM has 20 to 30 MB
# bytes of one message, with which a JupyterLab comes; `make lab` raises it
SERVER_LIMIT = 10_000_000
PATIENCE = 15  # seconds until the page says that nothing has come back
STYLE = "line-height: 1.5; max-width: 58em; margin: 0.3em 0"

# A file that the server drops never reaches the kernel, so only the page itself can take the
# earlier answer away. It does so as soon as a file is chosen, until the kernel says that it reads a
# later choice. Where a page runs no script, everything else works without it. `this` is the image
# that carries the script.
_SCRIPT = """
(function watch(mark, tries) {
  const box = mark.closest('.cxr-upload');
  const button = box && box.querySelector('button');
  const reading = box && box.querySelector('.cxr-reading .widget-html-content');
  const answers = box && box.querySelector('.cxr-answers');
  if (!(button && reading && answers)) {
    if (tries) setTimeout(watch, 100, mark, tries - 1);
    return;
  }
  const round = () => {
    const said = reading.querySelector('[data-round]');
    return said ? Number(said.dataset.round) : 0;
  };
  let earlier = round();
  new MutationObserver(() => {
    if (button.textContent.endsWith('(0)')) return;
    earlier = round();
    answers.style.display = 'none';
    const waiting = document.createElement('div');
    waiting.dataset.round = earlier;
    waiting.style = STYLE;
    waiting.textContent = SENDING;
    reading.replaceChildren(waiting);
    setTimeout(() => { waiting.textContent = LOST; }, 1000 * PATIENCE);
  }).observe(button, {childList: true});
  new MutationObserver(() => {
    if (round() > earlier) answers.style.display = '';
  }).observe(reading, {childList: true});
})(this, 100)
"""
_SENDING = "Reading the file and sending it to the kernel ..."
# the button of ipywidgets waits for the lost message and sends no other: hence "run this cell
# again"
_LOST = (
    f"Nothing has come back for {PATIENCE} seconds: the file is still on its way, the kernel is "
    "busy, or the file was too large for the server, which then drops it. In that case run this "
    "cell again and choose a smaller file."
)


def uploaded(value) -> list[tuple[str, bytes]]:
    """Name and content of each uploaded file, from the value of ipywidgets' `FileUpload`.

    Parameters
    ----------
    value : dict or tuple
        Version 7: {name: {"content": bytes, ...}}; version 8: ({"name": ..., "content": memoryview,
        ...}, ...).

    Returns
    -------
    list of tuple
        (name, content as bytes).

    Examples
    --------
    >>> uploaded(({"name": "a.png", "content": memoryview(b"...")},))
    [('a.png', b'...')]
    >>> uploaded({"a.png": {"content": b"..."}})
    [('a.png', b'...')]
    """
    if isinstance(value, Mapping):
        value = [{"name": name, **dict(file)} for name, file in value.items()]
    return [(str(file["name"]), bytes(file["content"])) for file in value]


def upload_report(
    bundle: Bundle, name: str, content: bytes, max_bytes: int = MAX_UPLOAD
) -> tuple[str, dict]:
    """What the page shows for one uploaded file: HTML, foreign text escaped, and the answer.

    In this order: what the network was trained on, what the threshold calls and means, which
    classes cannot be excluded, the most probable class and the probabilities; or why there is no
    answer.

    Parameters
    ----------
    bundle : Bundle
        As `load_bundle` gives it.
    name : str
        Of the file.
    content : bytes
        Of the file.
    max_bytes : int
        A file with more is refused before it is decoded, with the reason as for any other.

    Returns
    -------
    tuple of str and dict
        The HTML, and what `answer` gives.
    """
    if len(content) > max_bytes:
        reason = (
            f"The file has {len(content) / 1e6:.1f} MB; at most {max_bytes / 1e6:.0f} MB are "
            "accepted."
        )
        found = {
            "file": name,
            "accepted": False,
            "reason": reason,
            "note": NOTE,
            "image": None,
            "map": None,
        }
    else:
        found = answer(bundle, content, name=name)
    said = _said(found, bundle) if found["accepted"] else [f"Refused: {found['reason']}"]
    return _page(name, said), found


def _page(name: str, sentences: list[str]) -> str:
    """One line each: the name of the file, the sentences, the note."""
    return "<br>".join(
        [f"<b>{html.escape(name)}</b>", *map(html.escape, sentences), f"<i>{NOTE}</i>"]
    )


def _said(found: Mapping, bundle: Bundle) -> list[str]:
    """An answer in plain words."""
    said = ["What the network was trained on is unknown: the bundle does not say."]
    if bundle.trained_on:
        said = [f"The network was trained on {bundle.trained_on}."]
    if bundle.positive is not None:
        called = "yes" if found["called_positive"] else "no"
        said.append(
            f"Called {bundle.positive} from a probability of {bundle.threshold:.2f} on: {called}. "
            f"{_threshold(bundle)}"
        )
    shares = ", ".join(f"{name} {p:.2f}" for name, p in found["probabilities"].items())
    return [
        *said,
        _not_excluded(found, bundle),
        f"Most probable: {found['predicted']}. Probabilities: {shares}.",
    ]


def _threshold(bundle: Bundle) -> str:
    if not bundle.threshold_meaning:
        return "What this threshold means is unknown: the bundle does not say."
    return f"This threshold is {bundle.threshold_meaning}."


def _not_excluded(found: Mapping, bundle: Bundle) -> str:
    if bundle.conformal_limit is None:
        return (
            f"Cannot be excluded: {', '.join(bundle.classes)}. (Every class: the bundle holds "
            "no limit for sets.)"
        )
    if not found["set"]:
        return "The set is empty: no class is likely enough."
    return f"Cannot be excluded: {', '.join(found['set'])}."


def _beside(max_bytes: int) -> str:
    """What stands beside the button: the limits and, hidden, the script that watches it."""
    script = _SCRIPT
    for name, value in {
        "SENDING": _SENDING,
        "LOST": _LOST,
        "PATIENCE": PATIENCE,
        "STYLE": STYLE,
    }.items():
        script = script.replace(name, json.dumps(value))
    mark = f'<img hidden alt="" src="data:," onerror="{html.escape(script)}">'
    each, server = f"{max_bytes / 1e6:.0f}&nbsp;MB", f"{SERVER_LIMIT / 1e6:.0f}&nbsp;MB"
    return _styled(
        f"PNG, JPEG or DICOM, <b>up to {each}</b> each. In a JupyterLab that <code>make lab</code> "
        f"did not start, more than {server} at a time are lost without a message.{mark}"
    )


def _styled(text: str) -> str:
    return f'<div style="{STYLE}">{text}</div>'


def _picture(drawn, name: str) -> str:
    """A drawn answer as an image with alt text: its own, else the name of the file."""
    png = base64.b64encode(drawn.png()).decode("ascii")
    alt = html.escape(getattr(drawn, "alt", "") or f"The answer to {name}, drawn.")
    return f'<img alt="{alt}" src="data:image/png;base64,{png}" style="max-width: 100%">'


def _answer_parts(bundle: Bundle, name: str, content: bytes, picture, max_bytes: int) -> list[str]:
    """HTML of one file's answer: text, and a picture if any. Failures become a sentence."""
    try:
        text, found = upload_report(bundle, name, content, max_bytes)
    except (Exception, KeyboardInterrupt) as error:
        LOG.exception("no answer to %s", name)
        return [_failed(name, "No answer: the work on this file ended in an error.", error)]
    if picture is None or found["image"] is None:
        return [_styled(text)]
    try:
        return [_styled(text), _picture(picture(found), name)]
    except (Exception, KeyboardInterrupt) as error:
        LOG.exception("no picture of %s", name)
        return [_styled(text), _failed(name, "The answer could not be drawn.", error)]


def _failed(name: str, sentence: str, error: BaseException) -> str:
    """The sentence, and the error in its own words; where it happened stands in the log."""
    return _styled(_page(name, [f"{sentence} {type(error).__name__}: {error!s:.200}"]))


class _Desk:
    """Takes files from the button and shows their answers, those of the last choice only."""

    def __init__(self, bundle: Bundle, picture, max_bytes: int) -> None:
        import ipywidgets

        self.html = ipywidgets.HTML
        self.answer = lambda name, content: _answer_parts(bundle, name, content, picture, max_bytes)
        self.button = ipywidgets.FileUpload(
            accept="image/*,.dcm", multiple=True, description="Radiograph"
        )
        self.reading = ipywidgets.HTML()
        self.answers = ipywidgets.VBox([ipywidgets.HTML(f"<i>{NOTE}</i>")])
        self.box = ipywidgets.VBox(
            [self.button, ipywidgets.HTML(_beside(max_bytes)), self.reading, self.answers]
        )
        for widget, name in (
            (self.box, "upload"),
            (self.reading, "reading"),
            (self.answers, "answers"),
        ):
            widget.add_class(f"cxr-{name}")
        # newer kernels handle messages in threads: it is read and changed with the lock only
        self.choice = 0
        self.lock = threading.Lock()
        # Version 7 counts the choices, and says nothing of a value that is equal to the last one.
        self.button.observe(
            self.take, names="_counter" if self.button.has_trait("_counter") else "value"
        )

    def take(self, change) -> None:
        """Answer the files of one choice in sequence, as long as there is no later choice."""
        value = self.button.value
        if not value:
            return
        with self.lock:
            self.choice += 1
            mine = self.choice
        try:
            files = uploaded(value)
        except Exception as error:
            LOG.exception("upload")
            self.show(
                mine,
                "",
                [self.html(_failed("Upload", "What the browser sent cannot be read.", error))],
            )
            return
        if isinstance(value, tuple):
            self.button.value = ()  # so that choosing the same file again is a change
        parts: list[Any] = []
        for k, (name, content) in enumerate(files, 1):
            which = f" ({k} of {len(files)})" if len(files) > 1 else ""
            if not self.show(mine, f"Reading {name}{which} ...", parts):
                return
            parts += map(self.html, self.answer(name, content))
        self.show(mine, "", parts)

    def show(self, choice: int, reading: str, parts: list) -> bool:
        """Replace all that is shown, unless a later choice was made; tell whether it was."""
        with self.lock:
            if choice != self.choice:
                return False
            self.answers.children = tuple(parts)
            self.reading.value = (
                f'<div data-round="{choice}" style="{STYLE}">{html.escape(reading)}</div>'
            )
            return True


def upload_widget(
    bundle: Bundle, picture: Callable[[dict], object] | None = None, max_bytes: int = MAX_UPLOAD
):
    """A button to upload files and, below, the answer to each: one box for ipywidgets 7 and 8.

    An earlier answer goes when another file is chosen; "Reading NAME ..." stands until the answer,
    the reason of a refusal or, whatever goes wrong, a sentence takes its place. Several files are
    answered in their order; of two choices in quick succession the last one stays.

    Parameters
    ----------
    bundle : Bundle
        As `load_bundle` gives it.
    picture : callable, optional
        Makes a picture of an answer (such as `plots.answer`), shown where there is an image: an
        object whose `png()` gives bytes and whose `alt` says what it shows.
    max_bytes : int
        Of one file.

    Returns
    -------
    ipywidgets.VBox
        To be shown.
    """
    return _Desk(bundle, picture, max_bytes).box
