import unittest

from jackfield import Attempt, InvalidConfig, Outcome
from jackfield.testing import OpenedPolicy, call, check_examples
from routing_policy import Greedy, SlotMachine


def used(arm, reward, context=""):
    return Outcome([Attempt(arm)], context, reward)


class GreedyTest(unittest.TestCase):
    def test_examples_hold(self):
        check_examples(Greedy)
        check_examples(SlotMachine)

    def test_an_arm_without_a_reward_comes_first_and_then_the_best(self):
        policy = OpenedPolicy(Greedy, ["a", "b"], {"epsilon": 0})
        self.assertEqual(policy.decide().arm, 0)
        policy.learn(used("a", 0.9))
        self.assertEqual(policy.decide().arm, 1)
        policy.learn(used("b", 0.2))
        decision = policy.decide()
        self.assertEqual((decision.arm, decision.scores), (0, [0.9, 0.2]))
        # What is learned in one context is not known in another.
        self.assertEqual(policy.decide(context="other").scores, [None, None])

    def test_chance_picks_any_arm_and_follows_the_seed(self):
        policy = OpenedPolicy(Greedy, ["a", "b", "c"], {"epsilon": 1})
        for arm in "abc":
            policy.learn(used(arm, 0.5))
        arms = [policy.decide(seed).arm for seed in range(50)]
        self.assertEqual(set(arms), {0, 1, 2})
        self.assertEqual(arms, [policy.decide(seed).arm for seed in range(50)])

    def test_a_failure_counts_as_nothing_won(self):
        policy = OpenedPolicy(Greedy, ["a", "b"], {"epsilon": 0})
        policy.learn(Outcome([Attempt("a", failed=True)]))
        policy.learn(used("b", None))
        self.assertEqual(policy.state, {"contexts": {"": {"a": {"count": 1, "sum": 0.0}}}})

    def test_an_option_out_of_its_range_is_refused(self):
        with self.assertRaisesRegex(InvalidConfig, "`epsilon`: 2.0 is more than 1"):
            OpenedPolicy(Greedy, ["a"], {"epsilon": 2})

    def test_a_machine_that_never_pays(self):
        self.assertEqual(call(SlotMachine, {"turn": 1}, {"pays": 0}), {"reward": 0})


if __name__ == "__main__":
    unittest.main()
