"""What written code may spend on one record, and the outcomes of its opening functions."""

from __future__ import annotations

from stringzilla import contains, count_byteset

from nestdecode.plan.run import CrowdedError
from nestdecode.text.reader import Budget
from nestdecode.text.scan import BRACKETS, ESCAPE, hides

__all__ = ["STAYS", "UNSURE", "Spending"]

# In shorter texts, half of the bytes are taken for brackets: counting would cost more.
FEW = 32


class _Outcome:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


# Returned for a string that is not opened: it may stay, or the careful way decides.
STAYS = _Outcome("STAYS")
UNSURE = _Outcome("UNSURE")


class Spending(Budget):
    """
    The budget of one record in written code: bytes, and brackets in decoded texts.

    What the record's bytes prove does not hold for texts in base64 and gzip, so each of
    them is looked at.

    Args:
        max_bytes: Bytes that those layers may decode to, together.
        brackets: Opening brackets in those texts that prove the tree shallow enough.
        longest: Bytes of one text.

    Attributes:
        brackets: What is left of them; less than 0: the depth of the tree has to be checked.
    """

    __slots__ = ("_longest", "_most", "brackets")
    left: int

    def __init__(self, max_bytes: int, brackets: int, longest: int) -> None:
        super().__init__(max_bytes)
        self.brackets: int = brackets
        self._most = brackets
        self._longest = longest

    def take(self, size: int) -> None:
        """
        Spend *size* bytes.

        Raises:
            CrowdedError: If fewer are left.
        """
        self.left -= size
        if self.left < 0:
            raise CrowdedError

    def look(self, text: bytes) -> None:
        """
        Count the brackets of a decoded text.

        Raises:
            CrowdedError: If it is too long, may be too deep, or hides its layers.
        """
        size = len(text)
        found = size // 2 if size < FEW else count_byteset(text, BRACKETS)
        self.brackets -= found
        if size > self._longest or found > self._most or (contains(text, ESCAPE) and hides(text)):
            raise CrowdedError
