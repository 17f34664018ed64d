//! A table with paired bootstrap intervals.

use jackfield_plugin_api::Random;

const DRAWS: usize = 10_000;
const SEED: u64 = 20_260_101;

/// A way to rank, and nDCG@10, Recall@10 and average precision of each query.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: &'a [[f64; 3]],
}

/// Prints means, and differences from the row `base` with 95 % intervals.
pub(crate) fn print(rows: &[Row<'_>], base: usize) {
    let against = rows[base].name;
    println!("| | nDCG@10 | Recall@10 | MAP@100 | nDCG@10 less {against} | Recall@10 less {against} |");
    println!("| --- | --: | --: | --: | --: | --: |");
    for (at, row) in rows.iter().enumerate() {
        let mean =
            |measure: usize| row.values.iter().map(|value| value[measure]).sum::<f64>() / row.values.len() as f64;
        let difference = |measure: usize| {
            if at == base {
                return String::new();
            }
            let each: Vec<f64> =
                row.values.iter().zip(rows[base].values).map(|(x, y)| x[measure] - y[measure]).collect();
            let (mean, low, high) = interval(&each);
            format!("{mean:+.4} [{low:+.4}, {high:+.4}]")
        };
        let (ndcg, recall) = (difference(0), difference(1));
        println!("| {} | {:.4} | {:.4} | {:.4} | {ndcg} | {recall} |", row.name, mean(0), mean(1), mean(2));
    }
}

/// The mean of differences with its 95 % interval.
pub(crate) fn interval(differences: &[f64]) -> (f64, f64, f64) {
    let (count, mut random) = (differences.len(), Random::new(SEED));
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| (0..count).map(|_| differences[random.below(count as u64) as usize]).sum::<f64>() / count as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let mean = differences.iter().sum::<f64>() / count as f64;
    (mean, means[DRAWS / 40], means[DRAWS - DRAWS / 40 - 1])
}
