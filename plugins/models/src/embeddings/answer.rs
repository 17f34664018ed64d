//! What comes back.

use jackfield_plugin_api::prelude::*;

use crate::http::{
    Api, ServerError,
    foreign_json::{Json, text_of},
};

/// A vector, and what is said beside it.
pub(super) struct Embedded {
    pub(super) vector: Vec<f32>,
    pub(super) usage: Option<Usage>,
    pub(super) model: Option<String>,
}

/// Reads the answer of a call for one text, of so many dimensions if that is known.
///
/// # Errors
/// [`Failure::InvalidOutput`] if it is none, [`Failure::Unavailable`] if the next one may be better, or what an error in place
/// of an answer means.
pub(super) fn parse(body: &[u8], dimensions: Option<u32>, api: &Api) -> Result<Embedded> {
    let text = text_of(body);
    let answer = Json::parse(&text).map_err(|why| api.unparsed(&text, why))?;
    let entries = answer.get("data");
    // An answer has no choices and no content: what is there beside an error is looked for here.
    if entries.is_empty()
        && let Some(error) = ServerError::in_success(&answer)
    {
        return Err(api.reported(&error));
    }
    if entries.is_null() && !answer.has("data") && !answer.is_empty() {
        return Err(api.of_another_form(&answer, "without `data`"));
    }
    let elements = entries.items().first().map_or(&Json::Null, |entry| entry.get("embedding")).items();
    if elements.is_empty() {
        return Err(api.no_answer("answered without a vector"));
    }
    let Some(vector) = elements.iter().map(element).collect::<Option<Vec<f32>>>() else {
        return Err(api.invalid_answer("answered with a vector that has an element that is no finite number"));
    };
    if let Some(dimensions) = dimensions.filter(|dimensions| *dimensions as usize != vector.len()) {
        return Err(api.invalid_answer(&format!(
            "answered with a vector of {} elements, not of {dimensions} (`dimensions`)",
            vector.len()
        )));
    }
    let counts = answer.get("usage");
    let input = ["prompt_tokens", "input_tokens", "total_tokens"].iter().find_map(|key| counts.get(key).count());
    Ok(Embedded {
        vector,
        usage: input.map(|input| Usage::new(input, 0)),
        model: answer.get("model").words().map(str::to_owned),
    })
}

fn element(json: &Json<'_>) -> Option<f32> {
    match json {
        Json::Number(text) => text.parse::<f32>().ok().filter(|element| element.is_finite()),
        _ => None,
    }
}
