"""What a direction extractor reads and answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any

from .documents import TensorRef
from .schema import Json, Misfit, Shape, fields_to_json, from_json


@dataclass
class ContrastSet:
    """What a direction is extracted from: the hidden states of a model (its residual stream) at one position of each prompt of
    two sets. Layer 0 is the embeddings, layer n what the n-th block of the model hands on."""

    positive: Annotated[
        TensorRef,
        "Hidden states of the prompts that have what is looked for.",
        Shape("positive_prompts", "layers", "d"),
    ]
    negative: Annotated[
        TensorRef, "Hidden states of the prompts that do not.", Shape("negative_prompts", "layers", "d")
    ]


@dataclass
class LayerDirection:
    """What is known of the direction of a layer. No number is NaN: one that is undefined is none."""

    degenerate: Annotated[bool, "Whether the layer does not have a direction: its direction is the zero vector then."]
    norm_mean_positive: Annotated[float, "Norm of the mean of the positive prompts."]
    norm_mean_negative: Annotated[float, "Norm of the mean of the negative prompts."]
    norm_difference: Annotated[float, "Norm of the difference of the means."]
    cos_means: Annotated[float | None, "Cosine between the means, -1 to 1."] = None
    silhouette: Annotated[float | None, "Mean silhouette of the prompts with the two sets as clusters, -1 to 1."] = None
    more: dict[str, Any] = field(default_factory=dict)
    """What else the extractor says, under names of its own; it stands beside the others in the JSON."""

    @classmethod
    def read_json(cls, value: Json, place: str) -> LayerDirection:
        """What is known of a layer, from JSON. Raises `Misfit`."""
        if not isinstance(value, dict):
            raise Misfit((f"`{place}`: " if place else "") + "expected an object")
        names = [one.name for one in dataclasses.fields(cls) if one.name != "more"]
        known = from_json(_Known, {key: value[key] for key in names if key in value}, place)
        more = {key: one for key, one in value.items() if key not in names}
        return cls(**{name: getattr(known, name) for name in names}, more=more)

    def write_json(self) -> Json:
        """The JSON object."""
        written = fields_to_json(self, sparse=True)
        return {**written.pop("more"), **written}


@dataclass
class _Known:
    """The fields of a `LayerDirection` that every extractor has."""

    degenerate: bool
    norm_mean_positive: float
    norm_mean_negative: float
    norm_difference: float
    cos_means: float | None = None
    silhouette: float | None = None


@dataclass
class Directions:
    """A direction a layer."""

    directions: Annotated[
        TensorRef, "A unit vector a layer; the zero vector where a layer is degenerate.", Shape("layers", "d")
    ]
    layers: Annotated[list[LayerDirection], "What is known of each, in order of the layers."]
