"""Texts that are being changed, and those of layers in them."""

from __future__ import annotations

from operator import itemgetter

from nestdecode.codecs import undo
from nestdecode.document.closing import redone
from nestdecode.paths import Address
from nestdecode.text.tokens import Edit, Style, Text, Token, difference, spliced

__all__ = ["Draft", "LayerDraft"]


class Draft(Text):
    """
    A text that is being changed.

    Attributes:
        result: The changed text, once it is finished.
    """

    def __init__(self, text: str, around: Text | None = None) -> None:
        super().__init__(text, around)
        self.result: str = text
        self._changes: list[tuple[int, int, tuple[str | Draft, ...]]] = []

    def change(self, start: int, end: int, *parts: str | Draft) -> None:
        """Put something else in place of a stretch; changes do not overlap."""
        self._changes.append((start, end, parts))

    def change_string(self, start: int, end: int, edits: list[Edit]) -> None:
        """Change what the string token from *start* to *end* says."""
        token = Token(self.text, start, end)
        style = Style(self.text[start + 1 : end - 1], self.style)
        for first, last, replacement in edits:
            units = replacement.translate(style)
            self.change(token.position(first), token.position(last), units)

    def edits(self) -> list[Edit]:
        """Return the changes in order; the drafts that are part of them are finished."""
        # Stable: what is put in at the same place stays in its order.
        return [
            (start, end, "".join(p if type(p) is str else p.result for p in parts))  # type: ignore[union-attr]
            for start, end, parts in sorted(self._changes, key=itemgetter(0, 1))
        ]

    def finish(self) -> None:
        """Make the changes; those of drafts inside of this one are made."""
        self.result = spliced(self.text, self.edits())


class LayerDraft(Draft):
    """
    The text of a layer, whose changes are changes of the string around it.

    Args:
        around: The text with the string.
        start: Where the string token begins in it.
        end: Where it ends.
        codecs: Those of the layer.
        string: What the token says.
        address: Where the layer is, for errors.
    """

    def __init__(
        self,
        around: Draft,
        start: int,
        end: int,
        codecs: tuple[str, ...],
        string: str,
        address: Address,
    ) -> None:
        self._codecs = codecs[:-1] if codecs[-1] == "json" else codecs
        text = undo(self._codecs, string)[-1].decode() if self._codecs else string
        super().__init__(text, around)
        self._outer = around
        self._token = start, end
        self._string = string
        self._address = address

    def finish(self) -> None:
        """Make the changes, in the text around."""
        edits = self.edits()
        if self._codecs:
            text = spliced(self.text, edits)
            string = redone(self._codecs, text, self._string, self._address)
            edits = [difference(self._string, string)]
        self._outer.change_string(*self._token, edits)
