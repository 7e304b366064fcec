"""The network: one encoder, a BIOES tagger a label, attribute classifiers and a link scorer, trained together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from attackspan.model.viterbi import TAGS
from attackspan.schema import Schema, default_schema

IGNORED = -100
"""Target of an attribute or link that takes no part in the loss (torch's own convention)."""
GAPS = 19
"""Distance classes of a pair: inside, and before or behind by 1, 2, 4, … 256 tokens and more."""

ATTRIBUTE_WEIGHT = 0.05
"""Of the attributes' loss beside the tags'; at ten times as much, its large gradients of few spans drown the tags'."""


class AttackspanConfig(PreTrainedConfig):
    """What the network needs to be built again.

    Args:
        encoder_config: the encoder's own configuration as a dict.
        label_schema: the labels, attributes and roles, in the form of ``schema.json``.
        feature_size: width of the features that spans are represented by.
        dropout: on the encoder's states and in the heads.
        window: most tokens that the encoder reads at once, special tokens left out.
        overlap: tokens that neighbouring windows of a long text share.
        temperatures: label to the temperature that its tag logits are divided by, fitted on the validation split.
        calibration: head name to slope and offset of its scores' logits, fitted on the validation split.
    """

    model_type = "attackspan"

    def __init__(
        self,
        encoder_config: Mapping[str, Any] | None = None,
        label_schema: Mapping[str, Any] | None = None,
        feature_size: int = 128,
        dropout: float = 0.1,
        window: int = 382,
        overlap: int = 32,
        temperatures: Mapping[str, float] | None = None,
        calibration: Mapping[str, tuple[float, float]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder_config = dict(encoder_config or {"model_type": "bert"})
        self.label_schema = dict(label_schema or default_schema().to_dict())
        self.feature_size = feature_size
        self.dropout = dropout
        self.window = window
        self.overlap = overlap
        self.temperatures = dict(temperatures or {})
        self.calibration = {name: (fit[0], fit[1]) for name, fit in (calibration or {}).items()}
        super().__init__(**kwargs)

    @property
    def schema(self) -> Schema:
        """The labels, attributes and roles."""
        return Schema.from_dict(self.label_schema)


class Relations(nn.Module):
    """Attributes of spans and links between them, from the features of the tokens.

    A span is represented by the features of its first and last token and the mean of all; a pair by both spans, their
    product and how far apart they stand.
    """

    def __init__(self, config: AttackspanConfig) -> None:
        super().__init__()
        size, schema = 3 * config.feature_size, config.schema
        values = sum(len(attribute.values) for _, attribute in schema.attributes)
        self.gaps = nn.Embedding(GAPS, config.feature_size)
        self.attributes = _perceptron(size, config.feature_size, values, config.dropout)
        self.links = _perceptron(3 * size + config.feature_size, config.feature_size, len(schema.roles), config.dropout)

    def forward(self, features: Tensor, spans: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Score spans and pairs.

        Args:
            features: (N, D), the tokens of any number of documents in a row.
            spans: int64 (S, 2), half-open ranges of tokens.
            pairs: int64 (P, 2), head and tail as indices into ``spans``.

        Returns:
            Attribute logits (S, values of all attributes side by side) and link logits (P, roles).
        """
        first, last = spans[:, 0], spans[:, 1] - 1
        total = F.pad(torch.cumsum(features, 0), (0, 0, 1, 0))
        mean = (total[spans[:, 1]] - total[first]) / (spans[:, 1:] - spans[:, :1])
        span = torch.cat((features[first], features[last], mean), -1)
        head, tail = span[pairs[:, 0]], span[pairs[:, 1]]
        gap = self.gaps(_gap_class(spans[pairs[:, 0]], spans[pairs[:, 1]]))
        return self.attributes(span), self.links(torch.cat((head, tail, head * tail, gap), -1))


class AttackspanModel(PreTrainedModel):
    """Encoder and heads. Loads with ``from_pretrained`` and ``AutoModel`` like any transformers model."""

    config_class = AttackspanConfig
    base_model_prefix = "attackspan"

    def __init__(self, config: AttackspanConfig) -> None:
        super().__init__(config)
        settings = dict(config.encoder_config)
        self.encoder = AutoModel.from_config(AutoConfig.for_model(settings.pop("model_type"), **settings))
        hidden = self.encoder.config.hidden_size
        self.dropout = nn.Dropout(config.dropout)
        self.tagger = nn.Linear(hidden, len(config.schema.labels) * len(TAGS))
        self.project = nn.Linear(hidden, config.feature_size)
        self.relations = Relations(config)
        self.post_init()

    def encode(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tag logits (B, T, L, 5) and features (B, T, D) of token ids (B, T); without a mask there is no padding."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        states = self.dropout(states)
        logits = self.tagger(states).unflatten(-1, (-1, len(TAGS)))
        return logits, self.project(states)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        tags: Tensor | None = None,
        spans: Tensor | None = None,
        pairs: Tensor | None = None,
        attributes: Tensor | None = None,
        links: Tensor | None = None,
    ) -> ModelOutput:
        """The training step: the sum of the heads' losses, each a mean over its own targets, the attributes' weighted.

        Args:
            input_ids: int64 (B, T).
            attention_mask: int64 (B, T).
            tags: float32 (B, T, L, 5), the probability of each of ``TAGS``; all 0 where a token takes no part.
            spans: int64 (S, 2), gold spans as ranges over the batch's B * T tokens in a row.
            pairs: int64 (P, 2), candidate pairs as indices into ``spans``.
            attributes: int64 (S, number of attributes), value indices or ``IGNORED``.
            links: int64 (P, number of roles), 0, 1 or ``IGNORED``.

        Returns:
            ``logits`` (B, T, L, 5), ``features`` (B, T, D), ``attribute_logits`` and ``link_logits`` where spans are
            given, and ``loss`` where tags are.
        """
        logits, features = self.encode(input_ids, attention_mask)
        output = ModelOutput(logits=logits, features=features)
        loss = None
        if tags is not None:
            known = tags.sum() / tags.shape[2]  # tokens, for the probabilities of each label sum to one
            loss = -(tags * logits.float().log_softmax(-1)).sum() / known.clamp(min=1.0)
        if spans is not None and pairs is not None and len(spans):
            values, scores = self.relations(features.flatten(0, 1).float(), spans, pairs)
            output["attribute_logits"], output["link_logits"] = values, scores
            if loss is not None and attributes is not None and links is not None:
                loss = loss + ATTRIBUTE_WEIGHT * self._attribute_loss(values, attributes) + _link_loss(scores, links)
        if loss is not None:
            output["loss"] = loss
        return output

    def _attribute_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The sum of the attributes' cross-entropies, each a mean over the spans that carry it."""
        loss = logits.new_zeros(())
        sizes = [len(attribute.values) for _, attribute in self.config.schema.attributes]
        for column, scores in enumerate(logits.float().split(sizes, -1)):
            target = targets[:, column]
            if (target != IGNORED).any():
                loss = loss + F.cross_entropy(scores, target, ignore_index=IGNORED)
        return loss


def _perceptron(inputs: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))


def _gap_class(head: Tensor, tail: Tensor) -> Tensor:
    """Distance class of each pair of ranges (P, 2): 0 where they overlap, odd ahead of the head, even behind it."""
    behind, ahead = tail[:, 0] - head[:, 1] + 1, head[:, 0] - tail[:, 1] + 1
    gap = torch.maximum(behind, ahead)
    step = torch.log2(gap.clamp(min=1).float()).long().clamp(max=8)
    return torch.where(gap <= 0, 0, 2 * step + 1 + (behind > ahead).long())


def _link_loss(logits: Tensor, targets: Tensor) -> Tensor:
    known = targets != IGNORED
    if not known.any():
        return logits.new_zeros(())
    return F.binary_cross_entropy_with_logits(logits.float()[known], targets[known].float())


AutoConfig.register("attackspan", AttackspanConfig)
AutoModel.register(AttackspanConfig, AttackspanModel)
