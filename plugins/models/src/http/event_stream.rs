//! Answers that come as a stream of events although none was asked for: some gateways know nothing else.

/// The data of each event, in order; `None` if the text is no stream of events. The mark of its end is left out.
pub(crate) fn events(text: &str) -> Option<Vec<String>> {
    let begin = text.trim_start();
    if !["data:", "event:", "id:", "retry:", ":"].iter().any(|start| begin.starts_with(start)) {
        return None;
    }
    let mut events = Vec::new();
    let mut data = Vec::new();
    for line in text.lines().chain([""]) {
        if let Some(more) = line.trim_start().strip_prefix("data:") {
            data.push(more.strip_prefix(' ').unwrap_or(more));
        } else if line.trim().is_empty() && !data.is_empty() {
            events.push(std::mem::take(&mut data).join("\n"));
        }
    }
    events.retain(|event| !matches!(event.trim(), "" | "[DONE]"));
    Some(events)
}

/// Whether the mark of its end stands in a stream of events.
pub(crate) fn has_end(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix("data:").is_some_and(|data| data.trim() == "[DONE]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_events_is_found() {
        let stream = ": waiting\r\n\r\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:2\n\ndata: [DONE]\n\n";
        assert_eq!(events(stream), Some(vec!["{\"a\":\n1}".to_owned(), "2".to_owned()]));
        assert_eq!(events("data: 1"), Some(vec!["1".to_owned()]));
        assert_eq!(events("event: ping\n\n"), Some(Vec::new()));
        assert_eq!(events(":keepalive\n\ndata: 1\n\n"), Some(vec!["1".to_owned()]));
        assert!(has_end(stream) && has_end("data:[DONE]") && !has_end("data: \"[DONE]\"\n\n"));
        for other in ["", "{\"data\": 1}", "<html>", "database"] {
            assert_eq!(events(other), None, "{other}");
        }
    }
}
