"""The files of the course as JupyterLab gets them: the index with what this student has done.

The page on disk stays as it is. JupyterLab asks for it whenever the page is opened or reloaded.
"""

from pathlib import Path

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from tools import progress
from tools.build import index
from tools.build.navigation import INDEX, LESSONS
from tools.common import STUDENT, ToolError

PAGE = f"{LESSONS}/{STUDENT}/{INDEX}"


class Contents(AsyncLargeFileManager):
    """Jupyter's own manager of files, but for one page."""

    async def get(self, path, content=True, **options):
        """Return a file's model; that of the index says what is done and what is next."""
        model = await super().get(path, content=content, **options)
        if content and path.strip("/") == PAGE and model.get("format") == "text":
            root = Path(self.root_dir)
            try:
                model["content"] = index.text(root / PAGE, root, progress.mine(root))
            except ToolError as error:  # a source was taken away: the page as it stands will do
                self.log.error("the index does not say what is done: %s", error)
        return model
