"""Drafts: texts with edits that are still to be made, and those of layers inside them."""

from __future__ import annotations

from operator import itemgetter

from nestdecode.codecs import undo
from nestdecode.document.closing import redone
from nestdecode.paths import Address
from nestdecode.text.tokens import Edit, Style, Text, Token, difference, spliced

__all__ = ["Draft", "LayerDraft"]


class Draft(Text):
    """
    A text and the edits that wait to be made in it.

    Attributes:
        result: The text; after ``finish``, the changed text.
    """

    def __init__(self, text: str, around: Text | None = None) -> None:
        super().__init__(text, around)
        self.result: str = text
        self._changes: list[tuple[int, int, tuple[str | Draft, ...]]] = []

    def change(self, start: int, end: int, *parts: str | Draft) -> None:
        """Note that *parts* replace the text from *start* to *end*; changes must not overlap."""
        self._changes.append((start, end, parts))

    def change_string(self, start: int, end: int, edits: list[Edit]) -> None:
        """Note edits of the value of the string token from *start* to *end*."""
        token = Token(self.text, start, end)
        style = Style(self.text[start + 1 : end - 1], self.style)
        for first, last, replacement in edits:
            units = replacement.translate(style)
            self.change(token.position(first), token.position(last), units)

    def edits(self) -> list[Edit]:
        """Return the changes in the order of the text; drafts in them must be finished."""
        # sorted() is stable: insertions at one position keep the order of their notes.
        return [
            (start, end, "".join(p if type(p) is str else p.result for p in parts))  # type: ignore[union-attr]
            for start, end, parts in sorted(self._changes, key=itemgetter(0, 1))
        ]

    def finish(self) -> None:
        """Make the changes; drafts inside this one must be finished."""
        self.result = spliced(self.text, self.edits())


class LayerDraft(Draft):
    """
    The decoded text of a layer; its changes become changes of the string around it.

    Args:
        around: The text that holds the string.
        start: The start of the string token in it.
        end: The end of the string token.
        codecs: The codecs of the layer.
        string: The value of the string.
        address: The address of the layer, for errors.
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
        """Note the changes as edits of the string in the text around."""
        edits = self.edits()
        if self._codecs:
            text = spliced(self.text, edits)
            string = redone(self._codecs, text, self._string, self._address)
            edits = [difference(self._string, string)]
        self._outer.change_string(*self._token, edits)
