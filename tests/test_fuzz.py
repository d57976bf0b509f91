"""The texts that fuzzing starts from, and its earlier findings, run again."""

import random

import pytest

from . import fuzz

pytestmark = pytest.mark.filterwarnings("ignore:deprecated string literal syntax")

TEXTS = sorted(fuzz.CORPUS.iterdir())
assert len(TEXTS) >= 10


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
@pytest.mark.parametrize("target", fuzz.TARGETS, ids=lambda target: target.__name__)
def test_a_kept_text_is_no_finding(path, target):
    target(path.read_bytes())


@pytest.mark.parametrize("target", fuzz.TARGETS, ids=lambda target: target.__name__)
def test_some_broken_texts_are_no_findings(target):
    chance = random.Random(35)
    texts = [path.read_bytes() for path in TEXTS]
    for _ in range(300):
        data = fuzz.broken(chance, texts)

        target(data)
