//! Cache backends, by the operations of the contract.

use std::{sync::Arc, time::Duration};

use jackfield_plugin_api::{BoxFuture, CacheCalls, CacheValue, Failure, HostCalls, Instance, Kind, Result, to_hex};

use crate::{
    Finding, Outcome,
    call_runner::{Opened, all_done},
    extension_under_test::{ExtensionUnderTest, excerpt, short},
    host::{SCRIPTED, Script, Service},
    inputs::OUR_KEYS,
};

/// Keys of a check of its own.
pub(super) fn key(check: &str, name: impl std::fmt::Display) -> String {
    format!("{OUR_KEYS}{check}/{name}")
}

/// An operation on a cache.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Get(String),
    Put(String, Vec<u8>, Option<Duration>),
    Remove(String),
    Clear(String),
    Size(String),
}

/// What an operation returned.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) value: Option<CacheValue>,
    pub(super) entries: u64,
}

pub(super) fn get(key: &str) -> Operation {
    Operation::Get(key.to_owned())
}

pub(super) fn put(key: &str, value: &[u8], ttl: Option<Duration>) -> Operation {
    Operation::Put(key.to_owned(), value.to_vec(), ttl)
}

async fn operated(cache: &dyn CacheCalls, operation: Operation, host: &dyn HostCalls) -> Result<Answer> {
    let mut answer = Answer::default();
    match operation {
        Operation::Get(key) => answer.value = cache.get(&key, host).await?,
        Operation::Put(key, value, ttl) => cache.put(&key, value.into(), ttl, host).await?,
        Operation::Remove(key) => cache.remove(&key, host).await?,
        Operation::Clear(prefix) => answer.entries = cache.clear(&prefix, host).await?,
        Operation::Size(prefix) => answer.entries = cache.size(&prefix, host).await?.entries,
    }
    Ok(answer)
}

/// Operates one after the other.
async fn one_by_one(
    instance: Arc<dyn Instance>,
    operations: Vec<Operation>,
    host: Arc<dyn HostCalls>,
) -> Vec<Result<Answer>> {
    let Some(cache) = instance.as_cache() else {
        return vec![Err(Failure::Internal("it is not a cache backend".to_owned()))];
    };
    let mut answers = Vec::with_capacity(operations.len());
    for operation in operations {
        answers.push(operated(cache, operation, &*host).await);
    }
    answers
}

/// A run reaches no server but its own, which takes commands of Redis over HTTP: a backend that keeps its values on any other has
/// to say that it is unreachable.
fn with_own_server() -> Script {
    Script { has_key_value_server: true, ..Script::default() }
}

/// What is said of a backend whose store cannot be reached.
fn store_is_unreachable(extension: &ExtensionUnderTest<'_>, results: &[Result<Answer>]) -> Option<Outcome> {
    let failure = extension.is_unreachable(results)?;
    let why = match failure.message() {
        message if message.contains(SCRIPTED) => {
            "a conformance run has a server that takes commands of Redis over HTTP, and no other"
        }
        message => message,
    };
    Some(Outcome::not_applicable(format!("the store is unreachable: {why}")))
}

/// What operations return with a host that follows a script, and what they ask of it.
pub(super) fn answers_with(
    extension: &ExtensionUnderTest<'_>,
    opened: &Opened,
    operations: &[Operation],
    script: Script,
) -> (Vec<Result<Answer>>, Vec<Service>) {
    let Some(instance) = opened.instance() else { return (Vec::new(), Vec::new()) };
    let host = extension.host(script, &[]);
    let own = host.own_recorder();
    let waited = extension.call_runner.wait(one_by_one(instance, operations.to_vec(), host));
    (waited.unwrap_or_else(|failure| vec![Err(failure)]), own.services())
}

/// What operations return; or what the check comes to, where the store is unreachable or does not answer.
pub(super) fn operate(
    extension: &ExtensionUnderTest<'_>,
    opened: &Opened,
    operations: &[Operation],
) -> Result<Vec<Answer>, Outcome> {
    let (results, _) = answers_with(extension, opened, operations, with_own_server());
    if let Some(outcome) = store_is_unreachable(extension, &results) {
        return Err(outcome);
    }
    let wrong =
        results.iter().zip(operations).find_map(|(result, operation)| Some((result.as_ref().err()?, operation)));
    if let Some((failure, operation)) = wrong {
        return Err(Outcome::from_findings(vec![Finding::new(
            "an answer",
            format!("{}, for {}", short(failure), excerpt(&format!("{operation:?}"))),
            "answer every operation; `unavailable` if the store is unreachable",
        )]));
    }
    results.into_iter().collect::<Result<_>>().map_err(|failure| {
        Outcome::from_findings(vec![Finding::new("an answer", failure.message(), "answer what the contract says")])
    })
}

/// The first instance.
pub(super) fn instance<'a>(extension: &'a ExtensionUnderTest<'_>) -> Option<&'a Opened> {
    extension.setups.first().map(|setup| &setup.instance)
}

fn wrong(expected: impl Into<String>, seen: impl Into<String>, fix: &str) -> Outcome {
    Outcome::from_findings(vec![Finding::new(expected, seen, fix)])
}

/// A value in a few words.
pub(super) fn value_in_words(value: Option<&[u8]>) -> String {
    let beginning = |value: &[u8]| to_hex(&value[..value.len().min(12)]);
    value.map_or_else(|| "nothing".to_owned(), |value| format!("{} bytes, {}", value.len(), beginning(value)))
}

pub(crate) fn values(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(instance) = instance(extension) else { return Outcome::not_applicable("it does not open") };
    let every_byte: Vec<u8> = (0..=255).collect();
    let length = if extension.settings.quick { 1_u32 << 16 } else { 1 << 20 };
    let large: Vec<u8> = (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let name = |name: &str| key("values", name);
    let cases: [(&str, &[u8]); 5] = [
        ("every byte", &every_byte),
        ("nothing", b""),
        ("large", &large),
        ("schlüssel 東京 👩‍🚀", b"text"),
        ("again", b"second"),
    ];
    let mut operations = vec![get(&name("never put")), put(&name("again"), b"first", None)];
    operations.extend(cases.iter().map(|(case, value)| put(&name(case), value, None)));
    // In another order than they were put.
    operations.extend(cases.iter().rev().map(|(case, _)| get(&name(case))));
    let answers = match operate(extension, instance, &operations) {
        Ok(answers) => answers,
        Err(outcome) => return outcome,
    };
    if let Some(found) = &answers[0].value {
        return wrong("nothing under a key that was never put", value_in_words(Some(found)), "answer no value");
    }
    for ((case, value), answer) in cases.iter().rev().zip(&answers[2 + cases.len()..]) {
        if answer.value.as_deref() != Some(*value) {
            return wrong(
                format!("under `{case}`, what was put last: {}", value_in_words(Some(value))),
                value_in_words(answer.value.as_deref()),
                "keep the bytes as they are, and give out the last ones",
            );
        }
    }
    match operate(extension, instance, &[get(&name("again"))]) {
        Ok(answers) if answers[0].value.as_deref() == Some(&b"second"[..]) => Outcome::passed(),
        Ok(answers) => {
            wrong("the value in a later call as well", value_in_words(answers[0].value.as_deref()), "keep it")
        }
        Err(outcome) => outcome,
    }
}

pub(crate) fn expiry(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const TTL: Duration = Duration::from_millis(150);
    let Some(instance) = instance(extension) else { return Outcome::not_applicable("it does not open") };
    let name = |name: &str| key("expiry", name);
    let minute = Some(Duration::from_secs(60));
    let before = [
        put(&name("short"), b"short", Some(TTL)),
        put(&name("long"), b"long", minute),
        put(&name("over"), b"there", minute),
        put(&name("over"), b"too late", Some(Duration::ZERO)),
        get(&name("over")),
    ];
    let answers = match operate(extension, instance, &before) {
        Ok(answers) => answers,
        Err(outcome) => return outcome,
    };
    if let Some(found) = &answers[4].value {
        return wrong(
            "nothing under a key that was put with no time to live",
            value_in_words(Some(found)),
            "forget what was there",
        );
    }
    std::thread::sleep(TTL * 2);
    match operate(extension, instance, &[get(&name("short")), get(&name("long"))]) {
        Err(outcome) => outcome,
        Ok(answers) => match [answers[0].value.as_deref(), answers[1].value.as_deref()] {
            [Some(found), _] => {
                let expected =
                    format!("nothing, {} ms after it was put for {} ms", TTL.as_millis() * 2, TTL.as_millis());
                wrong(expected, value_in_words(Some(found)), "give out nothing whose `ttl_ms` is over")
            }
            [None, Some(_)] => Outcome::passed(),
            [None, None] => {
                wrong("the value that was put for a minute", "nothing", "keep it for as long as it may be kept")
            }
        },
    }
}

pub(crate) fn removal(extension: &ExtensionUnderTest<'_>) -> Outcome {
    let Some(instance) = instance(extension) else { return Outcome::not_applicable("it does not open") };
    let name = |name: &str| key("removal", name);
    let (one, two, other) = (name("a/1"), name("a/2"), name("b/1"));
    let clear = |prefix: String| Operation::Clear(prefix);
    let size = |prefix: String| Operation::Size(prefix);
    let operations = [
        clear(name("")),
        put(&one, b"one", None),
        put(&two, b"two", None),
        put(&other, b"other", None),
        size(name("a/")),
        Operation::Remove(one.clone()),
        Operation::Remove(one.clone()),
        get(&one),
        get(&two),
        clear(name("a/")),
        get(&two),
        get(&other),
        size(name("a/")),
    ];
    let answers = match operate(extension, instance, &operations) {
        Ok(answers) => answers,
        Err(outcome) => return outcome,
    };
    let mut findings = Vec::new();
    let mut expect_equal = |what: &str, expected: String, seen: String| {
        if expected != seen {
            findings.push(Finding::new(format!("{expected}, {what}"), seen, "keep to the key, or to the prefix"));
        }
    };
    let value = |at: usize| value_in_words(answers[at].value.as_deref());
    expect_equal("under a key that was removed", value_in_words(None), value(7));
    expect_equal("under a key beside the one that was removed", value_in_words(Some(b"two")), value(8));
    expect_equal("as the count of a cleared prefix", "1".to_owned(), answers[9].entries.to_string());
    expect_equal("under a prefix that was cleared", value_in_words(None), value(10));
    expect_equal("under another prefix than the one that was cleared", value_in_words(Some(b"other")), value(11));
    // A size is what is known, and may lag behind; it cannot be more than was ever put.
    if answers[4].entries > 2 {
        expect_equal("as the size of the prefix, at most", "2".to_owned(), answers[4].entries.to_string());
    }
    findings.extend(list(extension, instance));
    Outcome::from_findings(findings)
}

/// The list.
fn list(extension: &ExtensionUnderTest<'_>, opened: &Opened) -> Option<Finding> {
    let instance = opened.instance()?;
    instance.as_cache()?;
    let prefix = key("list", "");
    let (first, last) = (format!("{prefix}1"), format!("{prefix}4"));
    let (asked, after) = (prefix.clone(), first.clone());
    let host = extension.host(with_own_server(), &[]);
    let pages = extension.call_runner.wait(async move {
        let Some(cache) = instance.as_cache() else { return Ok(Vec::new()) };
        for number in [3, 1, 4, 2] {
            cache.put(&format!("{asked}{number}"), CacheValue::from(&b"listed"[..]), None, &*host).await?;
        }
        let page = cache.list(&asked, Some(&after), 2, &*host).await?;
        let rest = cache.list(&asked, page.last().map(|entry| entry.key.as_str()), 10, &*host).await?;
        cache.clear(&asked, &*host).await?;
        Ok(page.into_iter().chain(rest).map(|entry| entry.key).collect())
    });
    let fix = "list the values whose keys begin so and come after `after`, in order, at most `limit`";
    let expected: Vec<String> = [2, 3, 4].map(|number| format!("{prefix}{number}")).into();
    match pages.and_then(|pages: Result<Vec<String>>| pages) {
        Ok(pages) if pages == expected => None,
        Ok(pages) => {
            let expected = format!("the keys after `{first}` up to `{last}`, in order");
            Some(Finding::new(expected, pages.join(", "), fix))
        }
        Err(failure) => Some(Finding::new("a list", failure.to_string(), fix)),
    }
}

pub(crate) fn concurrency(extension: &ExtensionUnderTest<'_>) -> Outcome {
    const CALLERS: usize = 8;
    let Some(opened) = instance(extension) else { return Outcome::not_applicable("it does not open") };
    let Some(instance) = opened.instance() else { return Outcome::not_applicable("it does not open") };
    let each = if extension.settings.quick { 10 } else { 40 };
    let of_caller = |caller: usize| -> Vec<Operation> {
        let own =
            (0..each).map(|n| put(&key("threads", format!("{caller}/{n}")), format!("{caller} {n}").as_bytes(), None));
        let shared = (0..each).map(|n| put(&key("threads", format!("all/{n}")), format!("{n}").as_bytes(), None));
        own.chain(shared).collect()
    };
    let callers = (0..CALLERS).map(|caller| {
        let call: BoxFuture<'static, Vec<Result<Answer>>> =
            Box::pin(one_by_one(Arc::clone(&instance), of_caller(caller), extension.host(with_own_server(), &[])));
        call
    });
    let put = extension.call_runner.wait(all_done(callers.collect()));
    let answered: Vec<Result<Answer>> =
        put.map_or_else(|failure| vec![Err(failure)], |all| all.into_iter().flatten().collect());
    if let Some(outcome) = store_is_unreachable(extension, &answered) {
        return outcome;
    }
    if answered.len() != CALLERS * each * 2 || answered.iter().any(Result::is_err) {
        let seen =
            answered.iter().find_map(|result| result.as_ref().err()).map_or_else(|| "fewer answers".to_owned(), short);
        return wrong("every put answered, from several threads at once", seen, "let calls run beside each other");
    }
    let mut gets = Vec::new();
    for caller in 0..CALLERS {
        gets.extend((0..each).map(|n| (key("threads", format!("{caller}/{n}")), format!("{caller} {n}"))));
    }
    gets.extend((0..each).map(|n| (key("threads", format!("all/{n}")), n.to_string())));
    let operations: Vec<Operation> = gets.iter().map(|(key, _)| get(key)).collect();
    let answers = match operate(extension, opened, &operations) {
        Ok(answers) => answers,
        Err(outcome) => return outcome,
    };
    let _ = operate(extension, opened, &[Operation::Clear(OUR_KEYS.to_owned())]);
    debug_assert_eq!(extension.kind(), Kind::CacheBackend, "the catalogue asks it of caches alone");
    let lost = gets.iter().zip(&answers).find(|((_, value), answer)| answer.value.as_deref() != Some(value.as_bytes()));
    match lost {
        None => Outcome::passed(),
        Some(((key, _), answer)) => wrong(
            format!("what was put under `{key}` from one of {CALLERS} threads"),
            value_in_words(answer.value.as_deref()),
            "guard what calls share",
        ),
    }
}
