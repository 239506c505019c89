"""Which tests share a process: those of one file; a notebook is alone, and fills gaps at the end."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.name != "test_notebooks.py":
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=lambda item: item.path.name == "test_notebooks.py")
