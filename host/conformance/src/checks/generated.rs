//! Made-up inputs.

use crate::{Outcome, extension_under_test::ExtensionUnderTest, host::Script, inputs::Sample, value_generator};

/// Inputs of each configuration.
const COUNT: usize = 50;

pub(crate) fn generated(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let count = if extension.settings.quick { COUNT / 5 } else { COUNT };
    let values = value_generator::distinct_values(&extension.input, 0x9e4e, count);
    if values.is_empty() {
        return Outcome::not_applicable("no input could be made up that fits the schema");
    }
    let samples: Vec<Sample> = values.iter().zip(3000..).map(|(value, number)| Sample::new(number, value)).collect();
    let mut findings = Vec::new();
    let mut answered = 0;
    for setup in &extension.setups {
        let results = extension.call_each(&setup.instance, &samples, &Script::default());
        answered += results.iter().filter(|result| result.is_ok()).count();
        for (sample, result) in samples.iter().zip(&results) {
            let json: String = sample.json.chars().take(120).collect();
            findings.extend(extension.fault(&format!("the input {json}"), result));
        }
    }
    if findings.is_empty() {
        return Outcome::noted(format!(
            "{answered} of {} answered, the others refused",
            values.len() * extension.setups.len()
        ));
    }
    Outcome::from_findings(findings)
}
