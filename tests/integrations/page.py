"""The page that has a configuration for each host: what it shows is what is tested."""

from pathlib import Path

import nestdecode
from tests.readmes import blocks

PAGE = (Path(nestdecode.__file__).parent / "integrations" / "README.md").read_text()


def recipe(part):
    """Return the text of the one block that holds a part."""
    [text] = [block.text for block in blocks(PAGE) if part in block.text]
    return text
