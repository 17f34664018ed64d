//! What the codes and types of servers' errors mean.

/// What is wrong, as a server's code or type says it. The names are those of many servers; what is meant is what can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Too many requests for now.
    RateLimit,
    /// Too much work for now.
    Overload,
    /// The server, or one behind it, is out of order.
    Outage,
    /// What was paid for is used up.
    Quota,
    /// The key is missing or wrong.
    Key,
    /// The key is good, and this is not allowed.
    Permission,
    /// There is no such model or address.
    Unknown,
    /// A filter objects to what the prompt says.
    Content,
    /// The request cannot be answered as it is.
    Request,
}

/// Parts of codes, written in lower case without anything but letters and digits. The first that a code has decides.
const PARTS: [(&str, Meaning); 52] = [
    ("insufficientquota", Meaning::Quota),
    ("exceededcurrentquota", Meaning::Quota),
    ("billing", Meaning::Quota),
    ("insufficientbalance", Meaning::Quota),
    ("insufficientcredits", Meaning::Quota),
    ("insufficientfunds", Meaning::Quota),
    ("paymentrequired", Meaning::Quota),
    ("ratelimit", Meaning::RateLimit),
    ("toomanyrequests", Meaning::RateLimit),
    ("throttl", Meaning::RateLimit),
    ("resourceexhausted", Meaning::RateLimit),
    ("overload", Meaning::Overload),
    ("capacity", Meaning::Overload),
    ("serverbusy", Meaning::Overload),
    ("modelnotready", Meaning::Overload),
    ("authentication", Meaning::Key),
    ("unauthenticated", Meaning::Key),
    ("unauthorized", Meaning::Key),
    ("apikey", Meaning::Key),
    ("permission", Meaning::Permission),
    ("forbidden", Meaning::Permission),
    ("accessdenied", Meaning::Permission),
    ("notfound", Meaning::Unknown),
    ("unknownmodel", Meaning::Unknown),
    ("contentfilter", Meaning::Content),
    ("contentpolicy", Meaning::Content),
    ("responsibleai", Meaning::Content),
    ("moderation", Meaning::Content),
    ("safety", Meaning::Content),
    ("timeout", Meaning::Outage),
    ("timedout", Meaning::Outage),
    ("deadlineexceeded", Meaning::Outage),
    ("unavailable", Meaning::Outage),
    ("badgateway", Meaning::Outage),
    ("upstream", Meaning::Outage),
    ("internal", Meaning::Outage),
    ("servererror", Meaning::Outage),
    ("apierror", Meaning::Outage),
    ("providererror", Meaning::Outage),
    ("connectionerror", Meaning::Outage),
    ("aborted", Meaning::Outage),
    ("contextlength", Meaning::Request),
    ("toolarge", Meaning::Request),
    ("toolong", Meaning::Request),
    ("badrequest", Meaning::Request),
    ("unsupported", Meaning::Request),
    ("unprocessable", Meaning::Request),
    ("validation", Meaning::Request),
    ("failedprecondition", Meaning::Request),
    ("invalidrequest", Meaning::Request),
    ("invalidargument", Meaning::Request),
    ("invalidparam", Meaning::Request),
];

/// Words of messages that mean this under whatever code, in lower case.
const WORDS: [(&str, Meaning); 4] = [
    ("credit balance is too low", Meaning::Quota),
    ("insufficient balance", Meaning::Quota),
    ("api key not valid", Meaning::Key),
    ("incorrect api key", Meaning::Key),
];

impl Meaning {
    /// What the codes of an error mean together. A code says more than a type such as `invalid_request_error`, which some
    /// servers use for whatever a client may have done wrong.
    pub(crate) fn of_codes(codes: &[String]) -> Option<Self> {
        let codes: Vec<String> = codes.iter().map(|code| letters_of(code)).collect();
        // Google's servers say of a limit by the minute that a quota is exceeded.
        let is_passing = codes.iter().any(|code| code.contains("resourceexhausted"));
        let counts = |code: &&String| !(is_passing && code.as_str() == QUOTA_EXCEEDED);
        let found: Vec<Self> = codes.iter().filter(counts).filter_map(|code| Self::of_letters(code)).collect();
        found.iter().find(|meaning| **meaning != Self::Request).or_else(|| found.first()).copied()
    }

    /// What a message means where it has words that leave no doubt.
    pub(crate) fn of_message(message: &str) -> Option<Self> {
        let message = message.to_lowercase();
        WORDS.iter().find(|(words, _)| message.contains(words)).map(|(_, meaning)| *meaning)
    }

    fn of_letters(letters: &str) -> Option<Self> {
        if letters == QUOTA_EXCEEDED {
            return Some(Self::Quota);
        }
        PARTS.iter().find(|(part, _)| letters.contains(part)).map(|(_, meaning)| *meaning)
    }

    /// The status that says the same.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::RateLimit => 429,
            Self::Overload => 529,
            Self::Outage => 500,
            Self::Quota => 402,
            Self::Key => 401,
            Self::Permission => 403,
            Self::Unknown => 404,
            Self::Content | Self::Request => 400,
        }
    }

    /// The status that counts where an answer has this one and its body means this. A server that says what is wrong in words
    /// knows better than one that has a status for everything; among words that say the same, its own status stays.
    pub(crate) fn corrected(self, status: u16) -> u16 {
        match (status, self) {
            (400, Self::Key)
            | (400 | 403 | 413 | 422, Self::RateLimit | Self::Overload | Self::Outage | Self::Quota)
            | (429 | 500..=599, Self::Quota)
            | (500, Self::RateLimit | Self::Overload | Self::Key | Self::Unknown | Self::Content | Self::Request) => {
                self.status()
            }
            _ => status,
        }
    }
}

/// A code that means a used-up quota only as a whole.
const QUOTA_EXCEEDED: &str = "quotaexceeded";

/// The letters and digits of a code, in lower case.
fn letters_of(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(codes: &[&str]) -> Option<Meaning> {
        Meaning::of_codes(&codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn codes_of_many_servers_are_known() {
        for (codes, meant) in [
            (["insufficient_quota", "insufficient_quota"].as_slice(), Meaning::Quota),
            (&["rate_limit_exceeded", "tokens"], Meaning::RateLimit),
            (&["ThrottlingException"], Meaning::RateLimit),
            (&["RESOURCE_EXHAUSTED"], Meaning::RateLimit),
            (&["overloaded_error"], Meaning::Overload),
            (&["InternalServerError"], Meaning::Outage),
            (&["api_error"], Meaning::Outage),
            (&["invalid_api_key", "invalid_request_error"], Meaning::Key),
            (&["model_not_found", "invalid_request_error"], Meaning::Unknown),
            (&["content_filter"], Meaning::Content),
            (&["context_length_exceeded", "invalid_request_error"], Meaning::Request),
            (&["BadRequestError"], Meaning::Request),
            (&["billing_error"], Meaning::Quota),
            (&["quota_exceeded", "invalid_request_error"], Meaning::Quota),
            (&["quota_exceeded", "RESOURCE_EXHAUSTED"], Meaning::RateLimit),
            (&["permission_error"], Meaning::Permission),
        ] {
            assert_eq!(meaning(codes), Some(meant), "{codes:?}");
        }
        assert_eq!(meaning(&["test", "40303"]), None);
        assert_eq!(meaning(&[]), None);
    }

    #[test]
    fn words_correct_a_status_only_where_they_say_something_else() {
        for (status, meant, counts) in [
            (400, Meaning::RateLimit, 429),
            (400, Meaning::Overload, 529),
            (400, Meaning::Key, 401),
            (403, Meaning::Quota, 402),
            (429, Meaning::Quota, 402),
            (500, Meaning::Request, 400),
            (500, Meaning::Outage, 500),
            (401, Meaning::Request, 401),
            (404, Meaning::Request, 404),
            (503, Meaning::Request, 503),
            (429, Meaning::Request, 429),
            (400, Meaning::Request, 400),
        ] {
            assert_eq!(meant.corrected(status), counts, "{status} {meant:?}");
        }
    }
}
