"""Documents: JSON text with named tensors."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any, Generic, TypeVar

from .failures import InvalidInput, InvalidOutput
from .schema import Json, Misfit, from_json

T = TypeVar("T")


@dataclass
class Tensor:
    """A named array of 32-bit floats, row-major."""

    name: str
    """Unique within its document."""
    shape: list[int]
    """Length of each dimension, the slowest first; their product is the length of `data`."""
    data: array[float]
    """The elements, as `array("f")`; whatever yields numbers is taken."""

    def __init__(self, name: str, shape: Iterable[int], data: Iterable[float]) -> None:
        self.name, self.shape = name, list(shape)
        self.data = data if isinstance(data, array) and data.typecode == "f" else array("f", data)
        if prod(self.shape) != len(self.data):
            raise InvalidOutput(f"the tensor `{name}` has {len(self.data)} elements, but the shape {self.shape}")


@dataclass(frozen=True)
class TensorRef:
    """A tensor by reference: what stands in a document for elements that the host holds. As JSON
    `{"$tensor": "<sha256>", "shape": [512, 31, 576], "dtype": "f32"}`. `Host.tensor` opens it.

    A field says which shape it has by `Shape`: `Annotated[TensorRef, "Hidden states.", Shape("prompts", "layers", "d")]`."""

    sha256: str
    """SHA-256 of the elements as little-endian bytes, in lower-case hexadecimal digits."""
    shape: tuple[int, ...]
    """Length of each dimension, the slowest first; at most 8."""
    dtype: str = "f32"
    """Type of the elements: 32-bit floats."""

    @property
    def element_count(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """What a reference looks like."""
        lengths = {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": MAX_DIMENSIONS}
        return {
            "type": "object",
            "properties": {
                "$tensor": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "shape": lengths,
                "dtype": {"enum": ["f32"]},
            },
            "required": ["$tensor", "shape", "dtype"],
            "additionalProperties": False,
            "x-tensor": {},
        }

    @classmethod
    def read_json(cls, value: Json, place: str) -> TensorRef:
        """The reference that a JSON value is. Raises `Misfit`."""
        at = f"`{place}`: " if place else ""
        if not isinstance(value, dict) or set(value) != {"$tensor", "shape", "dtype"}:
            raise Misfit(f"{at}expected the reference of a tensor, with `$tensor`, `shape` and `dtype`")
        sha256, shape, dtype = value["$tensor"], value["shape"], value["dtype"]
        if not isinstance(sha256, str) or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise Misfit(f"{at}`$tensor` is not a SHA-256")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_length, shape)):
            raise Misfit(f"{at}`shape` is not a list of at most {MAX_DIMENSIONS} lengths")
        if dtype != "f32":
            raise Misfit(f"{at}`dtype` is not `f32`")
        return cls(sha256, tuple(shape))

    def write_json(self) -> Json:
        """The JSON value."""
        return {"$tensor": self.sha256, "shape": list(self.shape), "dtype": self.dtype}


MAX_DIMENSIONS = 8
"""The most dimensions of a tensor."""


def _is_length(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@dataclass
class Document:
    """A unit of data between stages, untyped."""

    json: bytes
    """One JSON value, as UTF-8 text."""
    tensors: list[Tensor] = field(default_factory=list)
    """Tensors that travel with it."""


@dataclass
class Context:
    """Where in a run a document belongs."""

    stage: str = ""
    """Name of the stage that makes the call."""
    item: str = ""
    """Id of the item; empty for a stage that runs once a run."""
    element: int = 0
    """Index of the element, 0 for a stage without `for_each`."""
    replicate: int = 0
    """Index of the replicate, 0 for a stage without `repeat`."""
    seed: int = 0
    """64 bits that follow from the run's seed and all of the above: the same in every run with the same seed."""


@dataclass
class WithTensors(Generic[T]):
    """A value together with tensors, for an input or an output that has them."""

    value: T
    """The JSON part."""
    tensors: list[Tensor] = field(default_factory=list)
    """The tensors."""

    def tensor(self, name: str) -> Tensor:
        """The tensor of this name; `InvalidInput`, with those there are, where there is none."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        names = ", ".join(tensor.name for tensor in self.tensors)
        raise InvalidInput(f"no tensor `{name}` (there are: {names})")


@dataclass
class TextFile:
    """A text file that an option names, relative to the pipeline's folder. The host reads it and hands it over with the
    configuration, so that a change of the file is a change of the configuration."""

    path: str
    """The path as it stands in the pipeline."""
    text: str
    """What the file holds: at most 16 MiB."""

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """What the pipeline holds in its place."""
        return {"type": "string", "format": "jackfield-text-file"}


class TextFiles(list[TextFile]):
    """The text files of a folder that an option names, relative to the pipeline's folder, or a single file: sorted by name,
    without those in folders inside it and those whose names begin with a dot. The host reads them and hands them over with
    the configuration: at most 16 MiB each, and 64 MiB together."""

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """What the pipeline holds in their place."""
        return {"type": "string", "format": "jackfield-text-files"}

    @classmethod
    def read_json(cls, value: Json, place: str) -> TextFiles:
        """The files that a JSON value holds. Raises `Misfit`."""
        return cls(from_json(list[TextFile], value, place))
