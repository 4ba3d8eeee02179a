"""What the tests of exercises share: which of them begin first, and one question to alembic, which takes seconds."""

import functools

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the sample class begin first: marking it takes longest."""
    items.sort(key=lambda item: item.path.name != "test_sample_class.py")


@pytest.fixture(scope="session", autouse=True)
def version_asked_once():
    """Let nbgrader ask for the version of its data base's layout once, and not for each new course."""
    from nbgrader import api

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", functools.cache(api.get_alembic_version))
        yield
