//! Shares a budget of tokens fairly among sources.
//!
//! A stage that reads many sources of findings (a minutes document, a prompt for a model) has room for so many tokens.
//! When everything fits, everything is included. Otherwise every source is first given a floor, so that none is crowded out by a
//! larger one, and the rest is shared in proportion to what each source still needs. All of this is integer arithmetic
//! over costs, which gives the same result on every machine, whatever the costs stand for.

/// How many tokens each source may spend: never more than it needs, never more than `budget` together.
///
/// `needs[i]` is what source `i` would spend if all of it went in. When even the floors do not fit, the floor is lowered
/// to the highest one that does. What is left after the floors is shared in proportion to what each source has left, and
/// the odd tokens go to the largest remainders, the earlier source first.
///
/// ```
/// use jackfield_text::context_budget::fair_share;
///
/// assert_eq!(fair_share(1000, 100, &[300, 200]), [300, 200], "all fits");
/// assert_eq!(fair_share(1000, 100, &[50, 900, 1900]), [50, 331, 619], "floors of 50, 100, 100; then 750 as 800 : 1800");
/// assert_eq!(fair_share(90, 100, &[10, 900, 1900]), [10, 40, 40], "the floors do not fit");
/// ```
#[must_use]
pub fn fair_share(budget: usize, floor: usize, needs: &[usize]) -> Vec<usize> {
    let total = needs.iter().fold(0_usize, |sum, need| sum.saturating_add(*need));
    if total <= budget {
        return needs.to_vec();
    }
    let floor = affordable_floor(budget, floor, needs);
    let mut grants: Vec<usize> = needs.iter().map(|need| floor.min(*need)).collect();
    let shared_tokens = budget - grants.iter().sum::<usize>();
    let unmet: Vec<usize> = needs.iter().zip(&grants).map(|(need, grant)| need - grant).collect();
    let unmet_total: u128 = unmet.iter().map(|unmet| *unmet as u128).sum();
    if unmet_total == 0 {
        return grants;
    }
    let mut odd_tokens = shared_tokens;
    let mut remainders = Vec::with_capacity(unmet.len());
    for (index, unmet) in unmet.iter().enumerate() {
        let product = shared_tokens as u128 * *unmet as u128;
        let share = usize::try_from(product / unmet_total).unwrap_or(usize::MAX);
        grants[index] += share;
        odd_tokens -= share;
        remainders.push((std::cmp::Reverse(product % unmet_total), index));
    }
    remainders.sort_unstable();
    // A source with a remainder has got less than it has left, so one token more is not too much.
    for (_, index) in remainders.into_iter().take(odd_tokens) {
        grants[index] += 1;
    }
    grants
}

/// The highest floor, up to the one asked for, of which every source can have its part.
fn affordable_floor(budget: usize, floor: usize, needs: &[usize]) -> usize {
    let cost_of = |floor: usize| needs.iter().fold(0_usize, |sum, need| sum.saturating_add(floor.min(*need)));
    if cost_of(floor) <= budget {
        return floor;
    }
    let (mut fits, mut too_high) = (0, floor);
    while too_high - fits > 1 {
        let middle = fits + (too_high - fits) / 2;
        if cost_of(middle) <= budget {
            fits = middle;
        } else {
            too_high = middle;
        }
    }
    fits
}

/// Which items go in: for every source one flag per item, in the order given.
///
/// `costs[i]` holds what the items of source `i` cost, the best first. Each source spends its [`fair_share`] on its best
/// items, passing over one that no longer fits; what the sources could not spend is shared again, and in the end given to
/// whatever still fits, in order. The items chosen never cost more than `budget` together, and when all fit, all are
/// chosen.
#[must_use]
pub fn select(budget: usize, floor: usize, costs: &[Vec<usize>]) -> Vec<Vec<bool>> {
    /// Rounds of sharing: unspent tokens shrink below the cost of an item within two or three.
    const ROUNDS: usize = 4;

    let mut chosen: Vec<Vec<bool>> = costs.iter().map(|costs| vec![false; costs.len()]).collect();
    let mut unspent = budget;
    for round in 0..=ROUNDS {
        let needs: Vec<usize> = costs
            .iter()
            .zip(&chosen)
            .map(|(costs, chosen)| {
                let open = costs.iter().zip(chosen).filter(|(_, chosen)| !**chosen);
                open.fold(0_usize, |sum, (cost, _)| sum.saturating_add(*cost))
            })
            .collect();
        let grants = fair_share(unspent, if round == 0 { floor } else { 0 }, &needs);
        let mut spent = 0;
        for ((costs, chosen), grant) in costs.iter().zip(&mut chosen).zip(grants) {
            let mut grant = if round == ROUNDS { unspent - spent } else { grant };
            for (cost, chosen) in costs.iter().zip(chosen) {
                if !*chosen && *cost <= grant {
                    *chosen = true;
                    grant -= cost;
                    spent += cost;
                }
            }
        }
        unspent -= spent;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{fair_share, select};

    #[test]
    fn a_source_that_needs_less_than_its_floor_leaves_the_rest_to_others() {
        assert_eq!(fair_share(1_000, 400, &[100, 2_000]), [100, 900]);
    }

    #[test]
    fn floors_are_lowered_until_they_fit() {
        assert_eq!(fair_share(300, 500, &[1_000, 1_000, 1_000]), [100, 100, 100]);
        assert_eq!(fair_share(2, 500, &[9, 9, 9]), [1, 1, 0], "a floor of nothing, then odd tokens in order");
    }

    #[test]
    fn no_sources_and_no_budget_are_fine() {
        assert!(fair_share(10, 5, &[]).is_empty());
        assert_eq!(fair_share(0, 5, &[3, 0]), [0, 0]);
        assert_eq!(fair_share(7, 5, &[usize::MAX, usize::MAX]).iter().sum::<usize>(), 7);
    }

    #[test]
    fn the_best_go_in_first_and_one_that_is_too_big_is_passed_over() {
        assert_eq!(select(10, 5, &[vec![6, 20, 4]]), [vec![true, false, true]]);
    }

    #[test]
    fn what_one_source_cannot_spend_goes_to_another() {
        // Half each at first; the first source cannot use its 10 on an item of 12, the second can use them.
        let chosen = select(20, 0, &[vec![12, 12], vec![4, 4, 4, 4, 4, 4]]);
        let spent: usize = chosen[0].iter().filter(|in_it| **in_it).count() * 12
            + chosen[1].iter().filter(|in_it| **in_it).count() * 4;
        assert_eq!(spent, 20);
    }

    proptest! {
        #[test]
        fn shares_never_exceed_the_budget_nor_the_need(
            budget in 0_usize..20_000,
            floor in 0_usize..2_000,
            needs in prop::collection::vec(0_usize..9_000, 0..12),
        ) {
            let grants = fair_share(budget, floor, &needs);
            let total: usize = needs.iter().sum();
            prop_assert_eq!(grants.iter().sum::<usize>(), budget.min(total), "all of the budget is used where needed");
            prop_assert!(grants.iter().zip(&needs).all(|(grant, need)| grant <= need));
            if floor * needs.len() <= budget {
                prop_assert!(grants.iter().zip(&needs).all(|(grant, need)| *grant >= floor.min(*need)));
            }
        }

        #[test]
        fn what_is_chosen_fits_and_all_is_chosen_when_all_fits(
            budget in 0_usize..3_000,
            floor in 0_usize..600,
            costs in prop::collection::vec(prop::collection::vec(1_usize..90, 0..30), 0..8),
        ) {
            let chosen = select(budget, floor, &costs);
            let spent: usize = costs
                .iter()
                .zip(&chosen)
                .flat_map(|(costs, chosen)| costs.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(cost, _)| *cost))
                .sum();
            prop_assert!(spent <= budget);
            let all: usize = costs.iter().flatten().sum();
            prop_assert!(all > budget || spent == all);
            // Nothing that is left out would still have fitted.
            let cheapest = costs.iter().zip(&chosen).flat_map(|(c, k)| c.iter().zip(k).filter(|(_, k)| !**k).map(|(c, _)| *c)).min();
            prop_assert!(cheapest.is_none_or(|cost| spent + cost > budget));
        }
    }
}
