"""The error that names a file, its fault and the remedy, and the warning of what was assumed."""

import struct
import zlib

EXPORT_AGAIN = "Download or export the image again, or leave the file out"
SAVE_AS_PNG = "Open it in an image viewer and save it as a grey PNG"
# What decoders raise over a damaged file.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
)


class ImageError(ValueError):
    """A file that is not a usable image: the message names the file, what is wrong and what to do.

    Attributes: ``path`` (str), ``problem`` (str), ``remedy`` (str).
    """

    def __init__(self, path: object, problem: str, remedy: str):
        self.path, self.problem, self.remedy = str(path), problem, remedy
        super().__init__(f"{self.path}: {problem}. {remedy}.")

    def __reduce__(self) -> tuple[type["ImageError"], tuple[str, str, str]]:
        return type(self), (self.path, self.problem, self.remedy)


class ImageWarning(UserWarning):
    """Something was assumed in reading an image, because its file does not say it."""
