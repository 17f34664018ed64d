import unittest

from analyzer import WordCount
from jackfield import InvalidConfig, InvalidInput
from jackfield.testing import call, check_examples


class WordCountTest(unittest.TestCase):
    def test_examples_hold(self):
        check_examples(WordCount)

    def test_only_four_characters_separate_words(self):
        counts = call(WordCount, {"text": "one\u00a0word\u2028still\x0bit  two\r\n"})
        self.assertEqual(counts, {"words": 2, "characters": 24, "longest": 17})

    def test_a_text_without_words(self):
        self.assertEqual(call(WordCount, {"text": " \t"}), {"words": 0, "characters": 2, "longest": 0})

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaisesRegex(InvalidInput, "missing `text`"):
            call(WordCount, {})
        with self.assertRaisesRegex(InvalidConfig, "`min_length`: 0 is less than 1"):
            call(WordCount, {"text": ""}, {"min_length": 0})
        with self.assertRaisesRegex(InvalidConfig, "unknown key `min_lenght`"):
            call(WordCount, {"text": ""}, {"min_lenght": 2})


if __name__ == "__main__":
    unittest.main()
