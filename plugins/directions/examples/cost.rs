//! What extraction costs: `cargo run --release -p jackfield-directions --example cost [PROMPTS [LAYERS [WIDTH]]]`, with the
//! prompts of both sets together.

use std::time::Instant;

use jackfield_directions::{Method, Options, ResidualSet, Shape, extract};
use jackfield_plugin_api::Random;

fn main() {
    let mut arguments = std::env::args().skip(1).map_while(|text| text.parse().ok());
    let mut next = |default| arguments.next().unwrap_or(default);
    let shape = Shape { prompts: next(512) / 2, layers: next(31), width: next(576) };
    let mut random = Random::new(1);
    let mut set = |shift: f64| -> Vec<f32> {
        let length = shape.prompts * shape.layers * shape.width;
        (0..length).map(|_| (random.next_f64() - 0.5 + shift) as f32).collect()
    };
    let (positive, negative) = (set(0.05), set(0.0));
    let view = |values| ResidualSet::new(shape, values).expect("as many values as the shape says");
    for method in [Method::MeanDifference, Method::Pca { pairs: None }, Method::Logistic { l2: 0.01 }] {
        for winsorize in [1.0, 0.95] {
            let options = Options { winsorize, ..Options::new(method) };
            let start = Instant::now();
            let found = extract(&mut view(&positive), &mut view(&negative), &options);
            let (time, layers) = (start.elapsed(), found.map_or(0, |found| found.layers.len()));
            println!("{shape} twice, {}, winsorize {winsorize}: {layers} layers in {time:?}", method.name());
        }
    }
}
