"""The direction extractor `{{name}}`, and the analyzer `sample-states`, which makes hidden states up."""

from array import array
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Annotated

from jackfield import (
    Analyzer,
    ContrastSet,
    DirectionExtractor,
    Directions,
    Host,
    InvalidInput,
    LayerDirection,
    Range,
    TensorReader,
    export_plugin,
)


@dataclass
class MedianDifference(DirectionExtractor):
    """Takes the difference of the medians, component by component.

    A few prompts that are unlike the others move it less than they move the difference of the means."""

    NAME = "{{name}}"

    def extract(self, contrast: ContrastSet, host: Host) -> Directions:
        positive, negative = host.tensor(contrast.positive), host.tensor(contrast.negative)
        if len(positive.shape) != 3 or positive.shape[1:] != negative.shape[1:]:
            raise InvalidInput(f"sets of shapes {positive.shape} and {negative.shape} cannot be compared")
        if 0 in positive.shape or 0 in negative.shape:
            raise InvalidInput(f"a set is empty: {positive.shape}, {negative.shape}")
        _, layers, d = positive.shape
        directions = host.create_tensor([layers, d])
        known = []
        # A layer at a time: the tensors may be larger than the memory.
        for layer in range(layers):
            direction, diagnostics = compared(
                columns("positive", positive, layer), columns("negative", negative, layer)
            )
            directions.write(direction)
            known.append(diagnostics)
        return Directions(directions.finish(), known)


def compared(positive: list[list[float]], negative: list[list[float]]) -> tuple[list[float], LayerDirection]:
    """The direction of a layer, and what is known of it."""
    means = [[sum(column) / len(column) for column in columns] for columns in (positive, negative)]
    norms = norm(means[0]), norm(means[1])
    difference = [median(one) - median(other) for one, other in zip(positive, negative)]
    length = norm(difference)
    return [one / length if length > 0 else 0.0 for one in difference], LayerDirection(
        degenerate=length == 0,
        norm_mean_positive=norms[0],
        norm_mean_negative=norms[1],
        norm_difference=norm([one - other for one, other in zip(*means)]),
        cos_means=sum(one * other for one, other in zip(*means)) / (norms[0] * norms[1]) if all(norms) else None,
        more={"norm_median_difference": length},
    )


def columns(name: str, tensor: TensorReader, layer: int) -> list[list[float]]:
    """The components of a layer, each with its values over all prompts in order of size."""
    prompts, layers, d = tensor.shape
    rows = []
    for prompt in range(prompts):
        row = tensor.read((prompt * layers + layer) * d, d)
        if not all(map(isfinite, row)):
            raise InvalidInput(f"`{name}`: prompt {prompt} has a value in layer {layer} that is not a number")
        rows.append(row)
    return [sorted(column) for column in zip(*rows)]


def median(column: list[float]) -> float:
    middle = len(column) // 2
    return column[middle] if len(column) % 2 else (column[middle - 1] + column[middle]) / 2


def norm(vector: list[float]) -> float:
    return sqrt(sum(one * one for one in vector))


@dataclass
class Text:
    """What `sample-states` reads."""

    text: Annotated[str, "Any text: each item has hidden states of its own."]


@dataclass
class SampleStates(Analyzer):
    """Makes hidden states up.

    The two sets differ in the first component of every layer but the embeddings."""

    NAME = "sample-states"

    prompts: Annotated[int, "Prompts a set.", Range(1, 512)] = 8
    layers: Annotated[int, "Layers, the embeddings among them.", Range(1, 64)] = 3
    d: Annotated[int, "Width of a layer.", Range(1, 4096)] = 16

    def analyze(self, document: Text, host: Host) -> ContrastSet:
        random = host.random()

        def made(shift: float) -> array:
            states = array("f")
            for _ in range(self.prompts):
                for layer in range(self.layers):
                    row = [random.next_f64() - 0.5 if layer > 0 else 1.0 for _ in range(self.d)]
                    row[0] += shift if layer > 0 else 0.0
                    states.extend(row)
            return states

        shape = [self.prompts, self.layers, self.d]
        return ContrastSet(host.keep_tensor(shape, made(2.0)), host.keep_tensor(shape, made(0.0)))


Meta, Extension = export_plugin(MedianDifference, SampleStates, version="0.1.0")
