"""Who is measured, and who is not and why."""

from __future__ import annotations

from dataclasses import dataclass

OURS = "attackspan"


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of the table.

    Attributes:
        name: what the table calls it, and its files.
        module: its adapter in this package.
        environment: the name of its requirements file and so of its environment; empty where it is our own code.
        note: what was chosen.
        trains: whether it has a model to train.
    """

    name: str
    module: str
    environment: str
    note: str
    trains: bool = True


PEERS = (
    Peer(OURS, "ours", "", "the int8 export of a checkpoint, trained beforehand", trains=False),
    Peer("suggest", "suggest", "", "our rules; no training", trains=False),
    Peer("crf", "crf", "crf", "sklearn-crfsuite, one CRF a label, BIO; epochs are iterations of L-BFGS; one core"),
    Peer(
        "spacy-ner",
        "spacy_ner",
        "spacy",
        "one blank English pipeline a label, each with its own tok2vec and no pretrained vectors: Explosion does not "
        "publish en_core_web_* on PyPI, and copies that others put there were not taken; one core",
    ),
    Peer(
        "spacy-spancat",
        "spacy_spancat",
        "spacy",
        "one pipeline for all labels; candidates from a span_finder (threshold 0.3, up to 80 tokens), since n-grams "
        "as long as a clause would be some 20 000 an article; one core",
    ),
    Peer(
        "transformers",
        "token_classifier",
        "transformers",
        "token classification with Trainer, the packaged encoder, flat BIO (the inner label wins; statements are "
        "joined again), windows of 384 tokens that share 32; bf16 where the CPU multiplies it, as the one here does, "
        "which makes it faster than our int8 export; float32 elsewhere",
    ),
    Peer(
        "spanmarker",
        "spanmarker",
        "spanmarker",
        "SpanMarker 1.8.1 with transformers 4 and the packaged encoder, sentences, flat (as above); entity_max_length "
        "8: longer pieces of clauses are out of its reach. It reads two marker tokens for each range of up to 8 words, "
        "so a fraction of an epoch is all that fits the time the others take",
    ),
)

LEFT_OUT = {
    "gliner": "fine-tuning starts from a checkpoint of a model hub, which is not reached here; of the packages that "
    "PyPI lists for GLiNER none is described as carrying one",
}
