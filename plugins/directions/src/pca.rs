//! Computes the first principal component of the differences of pairs.

use crate::{
    eigen::largest_eigenpair,
    rows::Rows,
    vectors::{add_scaled, dot, normalized},
};

/// The component as a unit vector, and the root mean square of the differences along it; nothing where all differences are
/// zero. The differences take the place of the positive rows.
pub(crate) fn first_component(rows: &mut Rows, pairs: usize) -> Option<(Vec<f64>, f64)> {
    let width = rows.width;
    let (positive, negative) = rows.values.split_at_mut(rows.positive * width);
    let differences = &mut positive[..pairs * width];
    for (x, y) in differences.iter_mut().zip(negative) {
        *x -= *y;
    }
    let differences = &*differences;
    let (mut component, value) =
        if pairs <= width { by_pairs(differences, pairs, width)? } else { by_components(differences, width)? };
    if mostly_points_against(differences, &component) {
        component.iter_mut().for_each(|x| *x = -*x);
    }
    Some((component, (value / pairs as f64).sqrt()))
}

/// From the inner products of the differences: the smaller matrix where there are fewer pairs than components.
fn by_pairs(differences: &[f64], pairs: usize, width: usize) -> Option<(Vec<f64>, f64)> {
    let mut products = vec![0.0; pairs * pairs];
    for (i, left) in differences.chunks_exact(width).enumerate() {
        for (j, right) in differences.chunks_exact(width).enumerate().skip(i) {
            let product = dot(left, right);
            products[i * pairs + j] = product;
            products[j * pairs + i] = product;
        }
    }
    let (weights, value) = largest_eigenpair(products, pairs)?;
    let mut component = vec![0.0; width];
    for (weight, difference) in weights.iter().zip(differences.chunks_exact(width)) {
        add_scaled(&mut component, *weight, difference);
    }
    normalized(component).map(|(component, _)| (component, value))
}

/// From the second moments of the components.
fn by_components(differences: &[f64], width: usize) -> Option<(Vec<f64>, f64)> {
    let mut moments = vec![0.0; width * width];
    for difference in differences.chunks_exact(width) {
        for (row, x) in moments.chunks_exact_mut(width).zip(difference) {
            add_scaled(row, *x, difference);
        }
    }
    largest_eigenpair(moments, width)
}

/// Whether more differences point against the component than along it. Where as many do, their sum says; where that is zero,
/// the largest number of the component does, so that the outcome does not depend on the order of the pairs.
fn mostly_points_against(differences: &[f64], component: &[f64]) -> bool {
    let (mut majority, mut sum) = (0_i64, 0.0);
    for difference in differences.chunks_exact(component.len()) {
        let along = dot(difference, component);
        majority += i64::from(along > 0.0) - i64::from(along < 0.0);
        sum += along;
    }
    if majority != 0 {
        return majority < 0;
    }
    if sum != 0.0 {
        return sum < 0.0;
    }
    let greatest_component = component.iter().fold(0.0, |most: f64, &x| if x.abs() > most.abs() { x } else { most });
    greatest_component < 0.0
}
