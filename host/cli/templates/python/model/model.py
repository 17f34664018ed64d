"""The model `{{name}}`, which repeats what it is told, and the analyzer `ask`, which asks a model."""

from dataclasses import dataclass
from typing import Annotated

from jackfield import (
    Analyzer,
    Completion,
    CompletionRequest,
    Example,
    Host,
    InvalidInput,
    Message,
    Model,
    Permission,
    Range,
    Usage,
    export_plugin,
)


@dataclass
class Parrot(Model):
    """Repeats the first words of the last message.

    A token is a word here. Of the wishes of a request it heeds `max_tokens`."""

    NAME = "{{name}}"

    words: Annotated[int, "Most words of an answer.", Range(minimum=1)] = 8

    def complete(self, request: CompletionRequest, host: Host) -> Completion:
        if request.schema is not None:
            raise InvalidInput("a parrot follows no schema")
        if not request.messages:
            raise InvalidInput("there is no message to answer")
        heard = request.messages[-1].content.split()
        most = self.words if request.max_tokens is None else min(self.words, request.max_tokens)
        said = heard[:most]
        return Completion(
            text=" ".join(said),
            finish="length" if len(said) < len(heard) else "stop",
            usage=Usage(input=sum(len(message.content.split()) for message in request.messages), output=len(said)),
        )

    @classmethod
    def examples(cls) -> list[Example]:
        return [
            Example(
                "Two words at most",
                config={"words": 2},
                input=CompletionRequest([Message.user("Polly wants a cracker")]),
                output=Completion("Polly wants", finish="length", usage=Usage(input=4, output=2)),
            )
        ]


@dataclass
class Text:
    """What `ask` reads."""

    text: Annotated[str, "What to ask."]


@dataclass
class Answer:
    """What `ask` answers."""

    answer: Annotated[str, "What the model said."]


@dataclass
class Ask(Analyzer):
    """Puts a text to the stage's model."""

    NAME = "ask"

    @classmethod
    def permissions(cls) -> list[Permission]:
        return [Permission("model", "to put the text to")]

    def analyze(self, document: Text, host: Host) -> Answer:
        return Answer(host.complete(document.text).text)


Meta, Extension = export_plugin(Parrot, Ask, version="0.1.0")
