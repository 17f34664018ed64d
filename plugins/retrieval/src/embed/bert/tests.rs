use super::*;
use crate::vectors::dot;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bert")
}

fn expected() -> (Vec<String>, Vec<Vec<f64>>) {
    let made: Value = serde_json::from_slice(&fs::read(folder().join("expected.json")).unwrap()).unwrap();
    (serde_json::from_value(made["texts"].clone()).unwrap(), serde_json::from_value(made["vectors"].clone()).unwrap())
}

#[test]
fn vectors_are_those_of_the_reference_alone_and_together() {
    let (texts, expected) = expected();
    let bert = Bert::open(&folder(), None).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = bert.embed(&texts).unwrap();
    for (at, text) in texts.iter().enumerate() {
        let alone = bert.embed(&[text]).unwrap();
        for vector in [together.row(at), alone.row(0)] {
            let furthest = vector.iter().zip(&expected[at]).map(|(x, y)| (f64::from(*x) - y).abs()).fold(0.0, f64::max);
            assert!(furthest < 1e-5, "{text:?}: {furthest}");
            assert!((dot(vector, vector) - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_text_is_read_up_to_the_longest() {
    let bert = Bert::open(&folder(), Some(8)).unwrap();
    let rows = bert.embed(&["the owl hunts at night", "the owl hunts at night by day by day"]).unwrap();
    // `hunts` is two tokens: with both ends that makes eight.
    assert_eq!(rows.row(0), rows.row(1));
    let long = "the owl hunts at night ".repeat(40);
    let rows = bert.embed(&[&long, &long[..long.len() / 2]]).unwrap();
    assert_eq!(rows.row(0), rows.row(1));
}

#[test]
fn stages_with_one_folder_share_the_model() {
    let (left, right) = (Bert::open(&folder(), None).unwrap(), Bert::open(&folder(), None).unwrap());
    assert!(Arc::ptr_eq(&left, &right));
    assert!(bert_rows(&left, &[]).is_empty());
}

fn bert_rows(bert: &Bert, texts: &[&str]) -> Vectors {
    bert.embed(texts).unwrap()
}

#[test]
fn a_folder_that_lacks_a_file_is_named() {
    let failure = Bert::open(Path::new("/nowhere"), None).err().unwrap();
    assert!(matches!(&failure, Failure::InvalidConfig(why) if why.contains("/nowhere/model.safetensors")), "{failure}");
}
