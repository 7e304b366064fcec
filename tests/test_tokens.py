"""Tokens, their offsets, and windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from attackspan.document import Document
from attackspan.errors import AttackspanError
from attackspan.model.checkpoint import DEFAULT
from attackspan.model.tokens import Tokenizer, window_weights, windows

WORDPIECE = Tokenizer.load(DEFAULT / "tokenizer.json")


def byte_level() -> Tokenizer:
    """A byte-level tokenizer, as of RoBERTa: several tokens for one emoji, spaces inside tokens."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    backend.train_from_iterator(["the attack on the town"] * 9, trainer)
    return Tokenizer(backend)


BYTES = byte_level()
TEXTS = st.text(st.characters(exclude_categories=()), max_size=60) | st.text("a🙂é́ \u200f\u05d0\r\n.'", max_size=40)


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES], ids=["wordpiece", "bytes"])
@given(text=TEXTS)
def test_units_cover_characters_of_their_own_in_order(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer.encode([text])[0]
    starts, ends = tokens.starts[tokens.units], tokens.ends[tokens.units]
    assert (starts < ends).all()
    assert (ends[:-1] <= starts[1:]).all()
    assert not any(text[start].isspace() or text[end - 1].isspace() for start, end in zip(starts, ends, strict=True))
    assert not len(ends) or ends[-1] <= len(text)


def test_every_gold_span_of_the_seed_article_begins_and_ends_with_a_unit(seed: Document) -> None:
    tokens = WORDPIECE.encode([seed.text])[0]
    assert {span.start for span in seed.spans} <= set(tokens.starts[tokens.units].tolist())
    assert {span.end for span in seed.spans} <= set(tokens.ends[tokens.units].tolist())


def test_special_tokens_are_found() -> None:
    cls, sep = (WORDPIECE.backend.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    assert (WORDPIECE.prefix, WORDPIECE.suffix) == ([cls], [sep])
    assert (BYTES.prefix, BYTES.suffix) == ([], [])


def test_a_bad_tokenizer_file_is_an_error(tmp_path: object) -> None:
    with pytest.raises(AttackspanError, match="no such file"):
        Tokenizer.load(DEFAULT / "missing.json")
    with pytest.raises(AttackspanError, match="not a tokenizer"):
        Tokenizer.load(DEFAULT / "config.json")


@given(length=st.integers(0, 3000), size=st.integers(2, 300), data=st.data())
def test_windows_cover_every_token_with_the_overlap(length: int, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    cuts = windows(length, size, overlap)
    assert cuts[0][0] == 0
    assert cuts[-1][1] == length
    assert all(0 <= stop - start <= size for start, stop in cuts)
    assert all(left[1] - right[0] >= overlap for left, right in pairwise(cuts))
    assert len({stop - start for start, stop in cuts}) == 1
    assert len(cuts) == 1 or len(cuts) == -(-(length - overlap) // (size - overlap))


def test_a_token_counts_by_its_distance_from_the_cut_and_the_text_ends_are_no_cuts() -> None:
    assert window_weights(0, 4, 4).tolist() == [4, 4, 4, 4]
    assert window_weights(0, 4, 9).tolist() == [4, 3, 2, 1]
    assert window_weights(3, 7, 9).tolist() == [1, 2, 2, 1]
    assert window_weights(5, 9, 9).tolist() == [1, 2, 3, 4]
    assert window_weights(0, 4, 4).dtype == np.float32
