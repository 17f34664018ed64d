"""What the package for Python does with types, failures and chance."""

import enum
import json
import unittest
from array import array
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from jackfield import (
    Analyzer,
    Context,
    Example,
    Host,
    Internal,
    InvalidConfig,
    InvalidInput,
    InvalidOutput,
    Random,
    Range,
    Tensor,
    TextFile,
    WithTensors,
    export_plugin,
)
from jackfield.schema import Misfit, from_json, schema_of, to_json
from jackfield.testing import FakeHost, call, check_examples


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Leaf:
    """A leaf.

    It has no leaves."""

    size: Annotated[float, "How large.", Range(0, 10)]
    colour: Colour = Colour.RED
    note: str | None = None


@dataclass
class Tree:
    leaves: list[Leaf]
    trees: "list[Tree]" = field(default_factory=list)
    by_name: dict[str, int] = field(default_factory=dict)
    kind: Literal["oak", "fir"] = "oak"
    anything: Any = None


class Types(unittest.TestCase):
    def test_a_schema_has_every_field_and_names_classes(self):
        schema = schema_of(Tree, strict=True)
        self.assertEqual(schema["required"], ["leaves"])
        self.assertFalse(schema["additionalProperties"])
        self.assertEqual(schema["properties"]["leaves"], {"type": "array", "items": {"$ref": "#/$defs/Leaf"}})
        self.assertEqual(schema["properties"]["kind"], {"enum": ["oak", "fir"], "default": "oak"})
        leaf = schema["$defs"]["Leaf"]
        self.assertEqual(leaf["description"], "A leaf.\n\nIt has no leaves.")
        self.assertEqual(
            leaf["properties"]["size"], {"type": "number", "description": "How large.", "minimum": 0, "maximum": 10}
        )
        self.assertEqual(leaf["properties"]["colour"], {"enum": ["red", "blue"], "default": "red"})
        self.assertEqual(leaf["properties"]["note"], {"type": ["string", "null"]})
        self.assertEqual(schema_of(Leaf, written=True)["required"], ["size", "colour", "note"])

    def test_what_is_written_is_read_again(self):
        tree = Tree([Leaf(1.5, Colour.BLUE, "ä")], [Tree([])], {"a": 1}, "fir", {"x": [None]})
        again = from_json(Tree, json.loads(json.dumps(to_json(tree))))
        self.assertEqual(again, tree)
        self.assertEqual(from_json(Leaf, {"size": 2}).size, 2.0)

    def test_a_misfit_is_told_with_its_place(self):
        for value, wanted in [
            ({"leaves": [{"size": "big"}]}, "`leaves[0].size`: expected a number, found a string"),
            ({"leaves": [{"size": 11}]}, "`leaves[0].size`: 11.0 is more than 10"),
            ({"leaves": [{"size": True}]}, "`leaves[0].size`: expected a number, found true"),
            ({"leaves": [{"size": 1, "colour": "pink"}]}, "`leaves[0].colour`: expected one of `red`, `blue`, found a string"),
            ({"leaves": [{"size": 1, "note": 1}]}, "`leaves[0].note`: expected a string, found 1"),
            ({"leaves": [], "by_name": {"a": 1.5}}, "`by_name.a`: expected an integer, found 1.5"),
            ({"leaves": {}}, "`leaves`: expected a list, found an object"),
            ({}, "missing `leaves`"),
            ([], "expected an object, found a list"),
        ]:
            with self.assertRaises(Misfit) as caught:
                from_json(Tree, value)
            self.assertEqual(str(caught.exception), wanted)


@dataclass
class Text:
    text: str


@dataclass
class Size:
    size: float


@dataclass
class Probe(Analyzer):
    """Does as it is told."""

    NAME = "probe"

    file: TextFile = field(default_factory=lambda: TextFile("", ""))

    def analyze(self, document: Text, host: Host) -> Size:
        match document.text:
            case "nan":
                return Size(float("nan"))
            case "file":
                return Size(len(self.file.text))
            case "half":
                return "\ud800"  # type: ignore[return-value]
        return Size(1 / len(document.text))

    @classmethod
    def examples(cls) -> list[Example]:
        return [Example("wrong", Text("ab"), Size(1.5))]


class Calls(unittest.TestCase):
    def test_any_exception_becomes_a_failure_with_its_place(self):
        host = FakeHost()
        with self.assertRaisesRegex(Internal, r"ZeroDivisionError: .* \(test_package.py:\d+\)"):
            call(Probe, {"text": ""}, host=host)
        self.assertEqual([level for level, _ in host.logged], ["debug"])

    def test_an_answer_without_a_json_form_is_refused(self):
        for text in ["nan", "half"]:
            with self.assertRaises(InvalidOutput):
                call(Probe, {"text": text})

    def test_a_file_is_handed_over_with_the_options(self):
        config = {"file": {"path": "a.txt", "text": "abc"}}
        self.assertEqual(call(Probe, {"text": "file"}, config), {"size": 3})
        self.assertEqual(
            schema_of(Probe)["properties"]["file"],
            {"type": "string", "format": "jackfield-text-file", "default": {"path": "", "text": ""}},
        )

    def test_examples_that_do_not_hold_are_told(self):
        with self.assertRaisesRegex(AssertionError, "`wrong` gives {'size': 0.5}, not {'size': 1.5}"):
            check_examples(Probe)

    def test_json_has_no_nan_and_no_end_of_depth(self):
        plugin, _ = export_plugin(Probe, version="1.0.0")
        for config, wanted in [('{"file": NaN}', "NaN"), ("[" * 100_000, ""), ("{", "Expecting")]:
            with self.assertRaisesRegex(InvalidConfig, wanted):
                plugin.open("analyzer", "probe", config)

    def test_classes_that_are_no_extension_are_told_apart(self):
        class NoDataclass(Analyzer):
            NAME = "a"

        @dataclass
        class NoName(Analyzer):
            def analyze(self, document: Text, host: Host) -> Size:
                return Size(1)

        @dataclass
        class NoTypes(Analyzer):
            NAME = "a"

            def analyze(self, document, host):
                return Size(1)

        for cls, wanted in [(NoDataclass, "@dataclass"), (NoName, "NAME"), (NoTypes, "what it reads")]:
            with self.assertRaisesRegex(TypeError, wanted):
                export_plugin(cls, version="1.0.0")


class Chance(unittest.TestCase):
    def test_first_numbers_are_those_of_the_published_generator(self):
        random = Random(1_234_567)
        drawn = [random.next_u64() for _ in range(3)]
        self.assertEqual(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
        self.assertEqual(Random(7).below(0), 0)
        self.assertEqual({Random(seed).below(3) for seed in range(50)}, {0, 1, 2})

    def test_the_seed_is_that_of_the_context(self):
        host = FakeHost().view(Context(seed=1_234_567))
        self.assertEqual(host.random().next_u64(), 6_457_827_717_110_365_317)


class Tensors(unittest.TestCase):
    def test_a_shape_that_does_not_fit_is_refused(self):
        self.assertEqual(Tensor("t", [2], [1, 2]).data, array("f", [1, 2]))
        with self.assertRaisesRegex(InvalidOutput, "`t` has 3 elements, but the shape"):
            Tensor("t", [2], [1, 2, 3])
        with self.assertRaisesRegex(InvalidInput, r"no tensor `u` \(there are: t\)"):
            WithTensors(None, [Tensor("t", [1], [1])]).tensor("u")


if __name__ == "__main__":
    unittest.main()
