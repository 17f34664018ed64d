import unittest

from jackfield import InvalidConfig, InvalidInput
from jackfield.testing import FakeHost, call, check_examples
from model import Ask, Parrot


def prompt(*contents, **wishes):
    return {"messages": [{"role": "user", "content": content} for content in contents], **wishes}


class ParrotTest(unittest.TestCase):
    def test_examples_hold(self):
        check_examples(Parrot)

    def test_the_last_message_is_repeated(self):
        answer = call(Parrot, prompt("one two", "three  four"))
        self.assertEqual(answer["text"], "three four")
        self.assertEqual(answer["finish"], "stop")
        self.assertEqual((answer["usage"]["input"], answer["usage"]["output"]), (4, 2))

    def test_max_tokens_is_heeded(self):
        answer = call(Parrot, prompt("one two three", max_tokens=1))
        self.assertEqual((answer["text"], answer["finish"]), ("one", "length"))

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaisesRegex(InvalidInput, "no schema"):
            call(Parrot, prompt("one", schema={"type": "object"}))
        with self.assertRaisesRegex(InvalidInput, "no message"):
            call(Parrot, prompt())
        with self.assertRaisesRegex(InvalidConfig, "`words`: 0 is less than 1"):
            call(Parrot, prompt("one"), {"words": 0})


class AskTest(unittest.TestCase):
    def test_the_model_is_asked(self):
        host = FakeHost(model=lambda request: request.messages[-1].content.upper())
        self.assertEqual(call(Ask, {"text": "hello"}, host=host), {"answer": "HELLO"})
        self.assertEqual(len(host.requests), 1)

    def test_without_a_model_it_fails(self):
        with self.assertRaisesRegex(InvalidConfig, "no model"):
            call(Ask, {"text": "hello"})


if __name__ == "__main__":
    unittest.main()
