"""What becomes of a string that is opened by compiled code, and what that may cost."""

from __future__ import annotations

from stringzilla import contains, count_byteset

from nestdecode.plan.run import CrowdedError
from nestdecode.text.reader import Budget
from nestdecode.text.scan import BRACKETS, ESCAPE, hides

__all__ = ["STAYS", "UNSURE", "Spending"]

# Of so short a text half may be brackets: counting them would cost more.
FEW = 32


class _Outcome:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


# What becomes of a string that is not opened: it may stay, or the careful way decides.
STAYS = _Outcome("STAYS")
UNSURE = _Outcome("UNSURE")


class Spending(Budget):
    """
    What one record spends on the texts that its base64 and gzip layers give.

    Args:
        max_bytes: As for Budget; but who takes more is crowded.
        brackets: How many more in such texts prove that no limit on depth is met.
        longest: How long a text may be.
    """

    __slots__ = ("_longest", "_most", "brackets")
    left: int

    def __init__(self, max_bytes: int, brackets: int, longest: int) -> None:
        super().__init__(max_bytes)
        self.brackets: int = brackets
        self._most = brackets
        self._longest = longest

    def take(self, size: int) -> None:
        """Spend *size* bytes, or raise CrowdedError."""
        self.left -= size
        if self.left < 0:
            raise CrowdedError

    def look(self, text: bytes) -> None:
        """Raise CrowdedError if a text may be too deep, or hides what is in it."""
        size = len(text)
        found = size // 2 if size < FEW else count_byteset(text, BRACKETS)
        self.brackets -= found
        if size > self._longest or found > self._most or (contains(text, ESCAPE) and hides(text)):
            raise CrowdedError
