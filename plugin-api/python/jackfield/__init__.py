"""All that the author of a Jackfield plugin in Python needs.

An extension is a dataclass: its fields are the options of a stage's `with` table, its method does the work.

    from dataclasses import dataclass
    from typing import Annotated

    from jackfield import Analyzer, Host, Range, export_plugin

    @dataclass
    class Text:
        text: Annotated[str, "Any text."]

    @dataclass
    class Counts:
        words: Annotated[int, "How many words there are."]

    @dataclass
    class WordCount(Analyzer):
        \"\"\"Counts words.\"\"\"

        NAME = "word-count"
        min_length: Annotated[int, "Words shorter than this are not counted.", Range(minimum=1)] = 1

        def analyze(self, document: Text, host: Host) -> Counts:
            return Counts(words=sum(len(word) >= self.min_length for word in document.text.split()))

    Meta, Extension = export_plugin(WordCount, version="0.1.0")

Whatever can differ between machines (random numbers, models, caches, servers) is asked of the `Host`; an extension is
otherwise a pure function of its configuration and its input.
"""

from .caches import CacheEntry, CacheSize
from .directions import ContrastSet, Directions, LayerDirection
from .documents import Context, Document, Tensor, TensorRef, TextFile, TextFiles, WithTensors
from .extensions import Analyzer, CacheBackend, DirectionExtractor, Example, Model, Permission
from .failures import (
    Cancelled,
    Failure,
    Internal,
    InvalidConfig,
    InvalidInput,
    InvalidOutput,
    OverBudget,
    RateLimited,
    Unavailable,
)
from .host import Host, HttpResponse
from .models import (
    Capture,
    Captured,
    Completion,
    CompletionRequest,
    Edit,
    First,
    LikelyToken,
    LogProbs,
    Message,
    Reply,
    Token,
    TokenLogProb,
    TokenLogProbs,
    Usage,
)
from .plugin import export_plugin
from .policies import RoutingPolicy
from .rng import Random
from .routing import Arm, Attempt, Decision, Objective, Outcome, PendingDecision, Question
from .schema import Range, Shape
from .tensors import TensorReader, TensorWriter

__all__ = [
    "Analyzer",
    "Arm",
    "Attempt",
    "CacheBackend",
    "CacheEntry",
    "CacheSize",
    "Cancelled",
    "Capture",
    "Captured",
    "Completion",
    "CompletionRequest",
    "Context",
    "ContrastSet",
    "Decision",
    "DirectionExtractor",
    "Directions",
    "Document",
    "Edit",
    "Example",
    "Failure",
    "First",
    "Host",
    "HttpResponse",
    "Internal",
    "InvalidConfig",
    "InvalidInput",
    "InvalidOutput",
    "LayerDirection",
    "LikelyToken",
    "LogProbs",
    "Message",
    "Model",
    "Objective",
    "Outcome",
    "OverBudget",
    "PendingDecision",
    "Permission",
    "Question",
    "Random",
    "Range",
    "RateLimited",
    "Reply",
    "RoutingPolicy",
    "Shape",
    "Tensor",
    "TensorReader",
    "TensorRef",
    "TensorWriter",
    "TextFile",
    "TextFiles",
    "Token",
    "TokenLogProb",
    "TokenLogProbs",
    "Unavailable",
    "Usage",
    "WithTensors",
    "export_plugin",
]
