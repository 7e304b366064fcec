"""What can be labelled: labels, their attributes and the roles that link them, as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from attackspan.errors import AttackspanError

DEFAULT_PATH = Path(__file__).with_name("schema.json")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an attribute, with its codes in other coding schemes (e.g. ``{"gtd": "Assassination"}``)."""

    name: str
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that every span of a label carries, and the values it may take."""

    name: str
    values: tuple[Value, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The values' names, in the order of the network's outputs."""
        return tuple(value.name for value in self.values)


@dataclass(frozen=True, slots=True)
class Role:
    """A link from a span of the label that lists it to a span of the label ``tail``."""

    name: str
    tail: str


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of span. A label with roles is a *statement*: it ties other spans together."""

    name: str
    attributes: tuple[Attribute, ...] = ()
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The labels of a dataset or a model, in order.

    Raises:
        AttackspanError: a name is empty or repeated, an attribute has fewer than two values, or a role points at an
            unknown label.
    """

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise AttackspanError("schema: no labels; list at least one")
        _require_names("label", (label.name for label in self.labels))
        for label in self.labels:
            _require_names(f"attribute of {label.name!r}", (attribute.name for attribute in label.attributes))
            _require_names(f"role of {label.name!r}", (role.name for role in label.roles))
            for attribute in label.attributes:
                _require_names(f"value of {label.name}.{attribute.name}", attribute.names)
                if len(attribute.values) < 2:
                    raise AttackspanError(f"schema: {label.name}.{attribute.name} needs at least two values")
            for role in label.roles:
                if role.tail not in self.names:
                    raise AttackspanError(
                        f"schema: {label.name}.{role.name} links to {role.tail!r}, which is not one of the labels "
                        f"{', '.join(self.names)}"
                    )

    def __getitem__(self, name: str) -> Label:
        """The label of this name.

        Raises:
            AttackspanError: the schema has no such label.
        """
        for label in self.labels:
            if label.name == name:
                return label
        raise AttackspanError(f"unknown label {name!r}; the schema has {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """The labels' names, in the order of the network's outputs."""
        return tuple(label.name for label in self.labels)

    @property
    def attributes(self) -> tuple[tuple[Label, Attribute], ...]:
        """Every attribute with the label that carries it, in the order of the network's attribute heads."""
        return tuple((label, attribute) for label in self.labels for attribute in label.attributes)

    @property
    def roles(self) -> tuple[tuple[Label, Role], ...]:
        """Every role with the label that heads it, in the order of the network's link outputs."""
        return tuple((label, role) for label in self.labels for role in label.roles)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Build a schema from the form that ``schema.json`` has.

        Raises:
            AttackspanError: a key is missing, unknown or of the wrong type.
        """
        try:
            _require_keys(data, {"labels"})
            return cls(tuple(_label(label) for label in data["labels"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise AttackspanError(
                f"schema: {error!r} in {json.dumps(data)[:80]}…; see attackspan/schema.json"
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a ``schema.json``.

        Raises:
            AttackspanError: the file cannot be read or is no schema.
        """
        try:
            return cls.from_dict(json.loads(Path(path).read_text("utf-8")))
        except (OSError, ValueError, RecursionError) as error:  # not there, not UTF-8, no JSON, too deep, no schema
            raise AttackspanError(f"{path}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """The schema in the form that ``schema.json`` has; ``from_dict`` gives it back."""
        return {
            "labels": [
                {
                    "name": label.name,
                    "attributes": [
                        {"name": a.name, "values": [{"name": v.name, **v.codes} for v in a.values]}
                        for a in label.attributes
                    ],
                    "roles": [{"name": role.name, "tail": role.tail} for role in label.roles],
                }
                for label in self.labels
            ]
        }


@cache
def default_schema() -> Schema:
    """The schema of attacks in the news: actor, attack, attribution and condemnation (docs/guidelines.md)."""
    return Schema.load(DEFAULT_PATH)


def _label(data: Mapping[str, Any]) -> Label:
    _require_keys(data, {"name", "attributes", "roles"})
    attributes, roles = data.get("attributes", ()), data.get("roles", ())
    for entry in attributes:
        _require_keys(entry, {"name", "values"})
    for entry in roles:
        _require_keys(entry, {"name", "tail"})
    return Label(
        data["name"],
        tuple(Attribute(a["name"], tuple(_value(v) for v in a["values"])) for a in attributes),
        tuple(Role(r["name"], r["tail"]) for r in roles),
    )


def _value(data: Mapping[str, str]) -> Value:
    return Value(data["name"], {scheme: code for scheme, code in data.items() if scheme != "name"})


def _require_keys(data: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(data) - known):
        raise AttackspanError(f"schema: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _require_names(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise AttackspanError(f"schema: {what} {name!r} is not a name (letters, digits and _ only)")
        if name in seen:
            raise AttackspanError(f"schema: {what} {name!r} stands twice")
        seen.add(name)
