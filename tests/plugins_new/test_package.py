"""What the package for Python does with types, failures and chance."""

import enum
import hashlib
import json
import subprocess
import sys
import unittest
from array import array
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from jackfield import (
    Analyzer,
    Arm,
    CacheBackend,
    Capture,
    CompletionRequest,
    Completion,
    Context,
    ContrastSet,
    Decision,
    DirectionExtractor,
    Directions,
    Edit,
    Example,
    Host,
    Internal,
    InvalidConfig,
    InvalidInput,
    InvalidOutput,
    LayerDirection,
    LogProbs,
    Message,
    Model,
    Outcome,
    Question,
    Random,
    Range,
    RoutingPolicy,
    Shape,
    Tensor,
    TensorRef,
    TextFile,
    TextFiles,
    WithTensors,
    export_plugin,
)
from jackfield import contract
from jackfield.plugin import Plugin
from jackfield.routing import PolicyAnswer, PolicyRequest
from jackfield.schema import Misfit, from_json, schema_of, to_json
from jackfield.testing import FakeHost, OpenedCache, OpenedPolicy, call, check_examples


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
    files: TextFiles = field(default_factory=TextFiles)

    def analyze(self, document: Text, host: Host) -> Size:
        match document.text:
            case "nan":
                return Size(float("nan"))
            case "file":
                return Size(len(self.file.text))
            case "files":
                return Size(sum(len(file.text) for file in self.files))
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

    def test_the_files_of_a_folder_are_handed_over_with_the_options(self):
        files = [{"path": "p/a.txt", "text": "abc"}, {"path": "p/b.txt", "text": "d"}]
        self.assertEqual(call(Probe, {"text": "files"}, {"files": files}), {"size": 4})
        self.assertEqual(
            schema_of(Probe)["properties"]["files"],
            {"type": "string", "format": "jackfield-text-files", "default": []},
        )
        with self.assertRaisesRegex(InvalidConfig, r"files\[0\]"):
            call(Probe, {"text": "files"}, {"files": [{"path": "p/a.txt"}]})

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

    def test_a_reference_is_read_as_it_is_written_and_nothing_else_is_one(self):
        good = {"$tensor": "0" * 64, "shape": [2, 3], "dtype": "f32"}
        self.assertEqual(to_json(from_json(TensorRef, good)), good)
        self.assertEqual(from_json(TensorRef, good).element_count, 6)
        for change in [{"dtype": "f64"}, {"more": 1}, {"shape": [-1]}, {"shape": [True]}, {"$tensor": "0"}]:
            with self.assertRaisesRegex(Misfit, "^`at`: "):
                from_json(TensorRef, {**good, **change}, "at")

        @dataclass
        class Holder:
            states: Annotated[TensorRef, "States.", Shape("n", 3, None)]

        self.assertEqual(schema_of(Holder)["properties"]["states"]["x-tensor"], {"shape": ["n", 3, None]})

    def test_tensors_are_read_and_made_a_slice_at_a_time_within_their_shape(self):
        host = FakeHost()
        view = host.view()
        long = array("f", range(70_000))
        reference = view.keep_tensor([2, 35_000], long)
        tensor = view.tensor(reference)
        self.assertEqual(tensor.as_array(), long)
        self.assertEqual(list(tensor.read(69_998, 2)), [69_998, 69_999])
        for offset, length in [(69_999, 2), (-1, 1), (0, -1)]:
            with self.assertRaisesRegex(InvalidInput, "there are no"):
                tensor.read(offset, length)
        for shape, elements, wanted in [([3], [1], "has 3 elements, and 1 were"), ([1], [1, 2], "and 2 were"), ([1] * 9, [1], "9 dim")]:
            with self.assertRaisesRegex(InvalidInput, wanted):
                view.keep_tensor(shape, elements)
        with self.assertRaises(InvalidInput):
            view.tensor(TensorRef("0" * 64, (1,)))
        # SHA-256 of the four bytes of 1.0, the least first.
        one = view.keep_tensor([1], [1]).sha256
        self.assertEqual(one, hashlib.sha256(bytes([0, 0, 0x80, 0x3F])).hexdigest())


@dataclass
class Parrot(Model):
    """Says nothing."""

    NAME = "parrot"

    def complete(self, request: CompletionRequest, host: Host) -> Completion:
        return Completion("")


@dataclass
class Local(Parrot):
    """Says nothing here."""

    @classmethod
    def offers(cls) -> dict[str, bool | str]:
        return {"complete": True, "local": "/local"}


@dataclass
class Nothing(DirectionExtractor):
    """Finds nothing."""

    NAME = "nothing"


@dataclass
class Learned:
    seen: dict[str, int] = field(default_factory=dict)


@dataclass
class Told(RoutingPolicy):
    """Decides as it is told."""

    NAME = "told"
    LEARNS = "nothing"
    TOLD = [Decision(0)]

    def decide(self, state: Learned, question: Question) -> Decision:
        return self.TOLD[0]

    def decide_again(self, state: Learned, question: Question) -> Decision | None:
        return self.TOLD[0]

    def learn(self, state: Learned, outcome: Outcome) -> None:
        state.seen[outcome.context] = state.seen.get(outcome.context, 0) + 1


@dataclass
class Broken(CacheBackend):
    """Fails."""

    NAME = "broken"

    def get(self, key: str, host: Host) -> bytes | None:
        return b"" if key else [][0]


class Kinds(unittest.TestCase):
    def described(self, extension):
        return Plugin([extension], "1.0.0").descriptors[0]

    def test_each_kind_says_what_the_contract_has_it_say(self):
        self.assertNotIn("x-offers", self.described(Parrot).input)
        self.assertEqual(self.described(Local).input["x-offers"], {"complete": True, "local": "/local"})
        self.assertEqual(self.described(Told).input["x-learns"], "nothing")
        self.assertEqual(self.described(Told).output["$defs"]["Learned"]["title"], "Learned")
        self.assertEqual(self.described(Nothing).output, contract.DIRECTIONS)
        self.assertEqual((self.described(Broken).input, self.described(Broken).output), ({}, {}))

        @dataclass
        class Give(Analyzer):
            """Gives tensors."""

            NAME = "give"

            def analyze(self, document: Text, host: Host) -> WithTensors[Size]:
                return WithTensors(Size(1))

        self.assertIs(self.described(Give).output["x-tensors"], True)
        self.assertNotIn("x-tensors", self.described(Probe).output)

    def test_the_types_have_the_fields_of_the_contract(self):
        for kind, schema in [
            (CompletionRequest, contract.COMPLETION_REQUEST),
            (Completion, contract.COMPLETION),
            (ContrastSet, contract.CONTRAST_SET),
            (Directions, contract.DIRECTIONS),
            (PolicyRequest, contract.POLICY_REQUEST),
            (PolicyAnswer, contract.POLICY_ANSWER),
        ]:
            own = schema_of(kind)
            self.assertEqual(set(own["properties"]), set(schema["properties"]), kind)
            for name, defined in own.get("$defs", {}).items():
                theirs = schema["$defs"].get(name)
                if theirs is not None and name not in ("Arm", "LayerDirection"):
                    self.assertEqual(set(defined["properties"]), set(theirs["properties"]), name)

    def test_what_is_none_is_left_out_and_what_else_is_known_stands_beside(self):
        self.assertEqual(to_json(Completion("a")), {"text": "a", "finish": "stop", "cached": False, "usd": 0.0})
        layer = LayerDirection(False, 1.0, 2.0, 3.0, more={"extra": 4})
        written = {"degenerate": False, "norm_mean_positive": 1.0, "norm_mean_negative": 2.0, "norm_difference": 3.0, "extra": 4}
        self.assertEqual(to_json(layer), written)
        self.assertEqual(from_json(LayerDirection, written), layer)
        arm = {"name": "a", "with": {"x": 1}}
        self.assertEqual(to_json(from_json(Arm, arm)), arm)

    def test_a_model_is_asked_for_what_it_offers_alone(self):
        @dataclass
        class Reader(Parrot):
            """Reads well, or not."""

            reads: Any = None

            @classmethod
            def offers(cls) -> dict[str, bool | str]:
                return {"complete": True, "tokenize": "/reads/well"}

        def ask(well, **more):
            request = CompletionRequest([Message.user("Hello")], **more)
            return call(Reader, request, config={"reads": {"well": well}})

        self.assertEqual(ask(False)["text"], "")
        self.assertEqual(ask(True, tokenize=True)["text"], "")
        edit = Edit("mlp-down", 0, TensorRef("0" * 64, (1,)), 1.0)
        for more in (
            {"tokenize": True},
            {"embed": True},
            {"capture": Capture()},
            {"logprobs": LogProbs()},
            {"edits": [edit]},
        ):
            (ability,) = more
            with self.assertRaisesRegex(InvalidInput, f"^the model `parrot` does not offer `{ability}`, which was asked for$"):
                ask(False, **more)

    def test_classes_that_are_no_extension_of_their_kind_are_told_apart(self):
        @dataclass
        class Flies(Parrot):
            @classmethod
            def offers(cls) -> dict[str, bool | str]:
                return {"fly": True}

        @dataclass
        class Gossip(Told):
            LEARNS = "gossip"

        @dataclass
        class Needs:
            seen: int

        @dataclass
        class NoFresh(Told):
            def decide(self, state: Needs, question: Question) -> Decision:
                return Decision(0)

        for cls, wanted in [(Flies, "`fly`"), (Gossip, "what it learns from"), (NoFresh, "without a default")]:
            with self.assertRaisesRegex(TypeError, wanted):
                self.described(cls)

    def test_a_policy_is_held_to_its_question(self):
        policy = OpenedPolicy(Told, ["a", "b"])
        for decision, wanted in [
            (Decision(2), "picked arm 2 of 2"),
            (Decision(1, [1, 2, 3]), "gave 3 scores of 2 arms"),
            (None, "decided a NoneType"),
        ]:
            Told.TOLD[0] = decision
            with self.assertRaisesRegex(Internal, wanted):
                policy.decide()
        Told.TOLD[0] = Decision(1)
        with self.assertRaisesRegex(Internal, "picked arm 1 again, which failed"):
            policy.decide_again([1])
        Told.TOLD[0] = None
        self.assertIsNone(policy.decide_again([1]))
        for context in ["b", "a", "b"]:
            policy.learn(Outcome([], context))
        self.assertEqual(json.dumps(policy.state), '{"seen": {"a": 1, "b": 2}}')
        policy.state = {"seen": 1}
        with self.assertRaisesRegex(InvalidInput, "`state.seen`: expected an object"):
            policy.learn(Outcome([]))

    def test_a_cache_backend_answers_operations_and_no_documents(self):
        host = FakeHost()
        with self.assertRaisesRegex(Internal, "IndexError"):
            OpenedCache(Broken, host=host).get("")
        self.assertEqual([level for level, _ in host.logged], ["debug"])
        self.assertEqual(OpenedCache(Broken).get("a"), b"")
        with self.assertRaisesRegex(InvalidInput, "not called with documents"):
            call(Broken, {})
        with self.assertRaisesRegex(Internal, "the analyzer `probe` is not a cache backend"):
            OpenedCache(Probe).get("a")

    def test_half_a_surrogate_pair_is_refused(self):
        with self.assertRaisesRegex(InvalidInput, "half a surrogate pair"):
            call(Probe, {"text": "\ud800"})


# As the build of a component runs it: in a process of its own, because it changes modules of the library.
IN_A_COMPONENT = """
import os, random, sys
from random import choice, random as drawn
import logging
from jackfield import sandbox
from jackfield.failures import of_exception

draws = []
sandbox._seed = lambda: draws.append("seed")
sandbox.prepare()
sandbox.begin()
random.seed(5)
assert [drawn(), choice("abc"), random.random()] and draws == [], draws
sandbox.begin()
choice("abc"), drawn(), random.randint(1, 6)
assert draws == ["seed"], draws
sandbox.begin()
drawn()
assert draws == ["seed", "seed"], draws
assert random.Random(5).random() == random.Random(5).random() and len(draws) == 2

assert os.environ.get("NOT_THERE", "other") == "other" and "NOT_THERE" not in os.environ
try:
    os.environ["NOT_THERE"]
except KeyError as error:
    print(of_exception(error))
os.environ["SET"] = "here"
assert os.environ["SET"] == "here" and os.getenv("SET") == "here"

assert logging.makeLogRecord({}).created == 0.0
print("no end", end="")
sandbox.flush()
os._exit(0)
"""


class Component(unittest.TestCase):
    def test_chance_variables_and_output_in_a_component(self):
        done = subprocess.run([sys.executable, "-c", IN_A_COMPONENT], capture_output=True, text=True)
        told = "internal: NotGranted: os.environ['NOT_THERE'] is not there: it is not set where jackfield runs, or not granted: the plugin asks for `env:NOT_THERE` in its permissions"
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(told.removeprefix("internal: "), done.stdout)
        self.assertTrue(done.stdout.endswith("no end"), done.stdout)


if __name__ == "__main__":
    unittest.main()
