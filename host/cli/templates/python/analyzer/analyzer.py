"""The analyzer `{{name}}`: counts the words of a text."""

from dataclasses import dataclass
from typing import Annotated

from jackfield import Analyzer, Example, Host, Range, export_plugin


@dataclass
class Text:
    """What `{{name}}` reads."""

    text: Annotated[str, "Any text."]


@dataclass
class Counts:
    """What `{{name}}` answers."""

    words: Annotated[int, "Words that were counted."]
    characters: Annotated[int, "Characters of the text, white space among them."]
    longest: Annotated[int, "Characters of the longest word that was counted; 0 if none was."]


@dataclass
class WordCount(Analyzer):
    """Counts the words of a text.

    A word is a longest run of characters other than space, tab, carriage return and line feed. A character is a Unicode scalar
    value, so that every language counts the same."""

    NAME = "{{name}}"

    min_length: Annotated[int, "Words of fewer characters are not counted.", Range(minimum=1)] = 1

    def analyze(self, document: Text, host: Host) -> Counts:
        lengths = [len(word) for word in words(document.text) if len(word) >= self.min_length]
        return Counts(words=len(lengths), characters=len(document.text), longest=max(lengths, default=0))

    @classmethod
    def examples(cls) -> list[Example]:
        return [
            Example(
                "Words of three characters or more",
                config={"min_length": 3},
                input=Text("So, naïve 🦀🦀🦀 it\tis\nnot."),
                output=Counts(words=4, characters=24, longest=5),
            )
        ]


def words(text: str) -> list[str]:
    """The words of a text. `str.split()` alone would split at every kind of Unicode white space."""
    for space in "\t\r\n":
        text = text.replace(space, " ")
    return [word for word in text.split(" ") if word]


Meta, Extension = export_plugin(WordCount, version="0.1.0")
