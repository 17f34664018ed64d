//! Configurations, good and bad.

use jackfield_plugin_api::FailureKind;
use serde_json::{Value, json};

use crate::{
    Finding, Outcome,
    extension_under_test::{ExtensionUnderTest, excerpt, short},
    setup::Origin,
};

pub(crate) fn opening(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let mut findings = Vec::new();
    for refused in &extension.refused {
        let whose = match refused.origin {
            Origin::Given => "the configuration of --config".to_owned(),
            Origin::Example(index) => format!("the configuration of example {}", index + 1),
            Origin::MadeUp => "a made-up configuration that fits the schema".to_owned(),
        };
        let kind = refused.failure.kind();
        let graceful = matches!(kind, FailureKind::InvalidConfig | FailureKind::Unavailable);
        if !graceful || refused.origin != Origin::MadeUp {
            findings.push(Finding::new(
                "a configuration that opens, or a refusal as `invalid-config` or `unavailable`",
                format!("{} for {whose}", short(&refused.failure)),
                match refused.origin {
                    Origin::Example(_) => "give the example a configuration that opens anywhere",
                    _ => "check the configuration in `open`, and answer `invalid-config` with what is wrong",
                },
            ));
        }
    }
    match extension.unopened() {
        Some(reason) if findings.is_empty() => Outcome::not_applicable(reason),
        _ => Outcome::from_findings(findings),
    }
}

pub(crate) fn bad(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let base = extension.setups.first().and_then(|setup| serde_json::from_str::<Value>(&setup.config).ok());
    let base =
        base.or_else(|| crate::value_generator::minimal_value(&extension.config, 1)).unwrap_or_else(|| json!({}));
    let mut tried: Vec<(String, String)> = Vec::new();
    for wrong in [json!([]), json!("text"), json!(12), json!(null)] {
        if !extension.config.allows(&wrong) {
            tried.push((format!("{wrong} in place of an object"), wrong.to_string()));
        }
    }
    tried.push(("a text that is not valid JSON".to_owned(), "{\"cut\": ".to_owned()));
    let mut unknown = base.clone();
    unknown["a-key-that-nobody-knows"] = json!(1);
    tried.push(("an unknown key".to_owned(), unknown.to_string()));
    for (name, _) in extension.config.properties() {
        if let Some(wrong) = extension.config.wrong_for(&base, name) {
            let mut config = base.clone();
            config[name] = wrong.clone();
            tried.push((format!("`{name}` = {wrong}"), config.to_string()));
        }
    }
    let mut findings = Vec::new();
    for (what, config) in tried {
        let seen = match extension.open(&config) {
            Ok(_) => "accepted".to_owned(),
            Err(failure) if failure.kind() == FailureKind::InvalidConfig => continue,
            Err(failure) => short(&failure),
        };
        findings.push(Finding::new(
            "`invalid-config`",
            format!("{seen}, for {}", excerpt(&what)),
            "read the configuration strictly in `open`: by type, and without unknown keys",
        ));
    }
    Outcome::from_findings(findings)
}
