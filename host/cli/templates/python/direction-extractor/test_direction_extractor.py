import unittest
from math import nan

from direction_extractor import MedianDifference, SampleStates
from jackfield import InvalidConfig, InvalidInput
from jackfield.testing import FakeHost, call


class MedianDifferenceTest(unittest.TestCase):
    def extracted(self, positive, negative, shapes=((3, 2, 2), (2, 2, 2))):
        """The directions of two sets, and what is known of each layer."""
        host = FakeHost()
        sets = [host.add_tensor(shape, states) for shape, states in zip(shapes, (positive, negative))]
        answer = call(MedianDifference, {"positive": sets[0].write_json(), "negative": sets[1].write_json()}, host=host)
        self.assertEqual(answer["directions"]["shape"], list(shapes[0][1:]))
        return list(host.tensor(answer["directions"])), answer["layers"]

    def test_one_prompt_that_is_unlike_the_others_does_not_move_it(self):
        # Prompts of two layers of two components each.
        positive = [1, 1, 0, 3, 1, 1, 0, 5, 1, 1, 900, 4]
        negative = [1, 1, 0, 0, 1, 1, 0, 0]
        directions, layers = self.extracted(positive, negative)
        self.assertEqual(directions, [0, 0, 0, 1])
        self.assertEqual([layer["degenerate"] for layer in layers], [True, False])
        self.assertEqual([layer["norm_median_difference"] for layer in layers], [0, 4])
        self.assertEqual(layers[1]["norm_mean_negative"], 0)
        self.assertNotIn("cos_means", layers[1])
        self.assertAlmostEqual(layers[0]["cos_means"], 1)

    def test_what_is_not_a_number_is_named_with_its_place(self):
        with self.assertRaisesRegex(InvalidInput, "`positive`: prompt 2 has a value in layer 1 that is not a number"):
            self.extracted([0] * 10 + [nan, 0], [0] * 8)

    def test_sets_that_cannot_be_compared_are_refused(self):
        with self.assertRaisesRegex(InvalidInput, "cannot be compared"):
            self.extracted([0] * 12, [0] * 6, ((3, 2, 2), (2, 1, 3)))
        with self.assertRaisesRegex(InvalidInput, "cannot be compared"):
            self.extracted([0] * 12, [0] * 8, ((3, 4), (2, 4)))
        with self.assertRaisesRegex(InvalidInput, "is empty"):
            self.extracted([], [0] * 8, ((0, 2, 2), (2, 2, 2)))


class SampleStatesTest(unittest.TestCase):
    def test_a_direction_is_found_in_what_is_made_up(self):
        host = FakeHost()
        contrast = call(SampleStates, {"text": ""}, host=host)
        self.assertEqual(contrast["negative"]["shape"], [8, 3, 16])
        layers = call(MedianDifference, contrast, host=host)["layers"]
        self.assertEqual([layer["degenerate"] for layer in layers], [True, False, False])

    def test_an_option_out_of_its_range_is_refused(self):
        with self.assertRaisesRegex(InvalidConfig, "`layers`: 0 is less than 1"):
            call(SampleStates, {"text": ""}, {"layers": 0})


if __name__ == "__main__":
    unittest.main()
