//! Cranfield's files.
//!
//! Judgements number the queries 1 to 225 in the order of `cran.qry`, whatever numbers stand there. Of the two files of
//! judgements, `cranqrel` has code 1 for a complete answer down to 4 for minimum interest, and -1 for no interest;
//! `cranqrel_corrected` the same turned round: 4 for a complete answer down to 1, and 5 for no interest. The corrected one
//! is read: its codes 1 to 4 are the gains, 5 is not relevant.

use std::{fs, path::Path};

use jackfield_retrieval::{collection::Passage, metrics::Judgements};

use crate::Error;

pub(crate) struct Judged {
    pub(crate) text: String,
    pub(crate) judgements: Judgements,
}

pub(crate) struct Collection {
    pub(crate) passages: Vec<Passage>,
    pub(crate) queries: Vec<Judged>,
}

impl Collection {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        let passages = records(&text("cran.all.1400")?).into_iter().map(|fields| {
            let of = |mark: char| {
                fields.1.iter().filter(|(m, _)| *m == mark).map(|(_, text)| text.trim()).collect::<Vec<_>>().join(" ")
            };
            // The text repeats the title, which is there only once then.
            let (title, body) = (of('T'), of('W'));
            let body = body.strip_prefix(title.as_str()).unwrap_or(&body).trim().to_owned();
            Passage { id: fields.0, title: Some(title), text: body }
        });
        let passages: Vec<Passage> = passages.collect();
        let mut queries: Vec<Judged> = records(&text("cran.qry")?)
            .into_iter()
            .map(|(_, fields)| {
                let text = fields.into_iter().filter(|(mark, _)| *mark == 'W').map(|(_, text)| text).collect();
                Judged { text, judgements: Judgements::new() }
            })
            .collect();
        for line in text("cranqrel_corrected")?.lines().filter(|line| !line.trim().is_empty()) {
            let [query, _, document, code] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                return Err(format!("cranqrel_corrected: `{line}` has not four fields").into());
            };
            let (number, code): (usize, u8) = (query.parse()?, code.parse()?);
            let judged = queries.get_mut(number.wrapping_sub(1)).ok_or("cranqrel_corrected: no such query")?;
            if (1..=4).contains(&code) {
                judged.judgements.insert(document.to_owned(), f64::from(code));
            }
        }
        Ok(Self { passages, queries })
    }
}

/// Records that begin with `.I id`, with fields that begin with a mark such as `.W` on a line of its own.
fn records(text: &str) -> Vec<(String, Vec<(char, String)>)> {
    let mut found: Vec<(String, Vec<(char, String)>)> = Vec::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix(".I ") {
            found.push((id.trim().to_owned(), Vec::new()));
        } else if let Some((_, fields)) = found.last_mut() {
            match line.trim_end().as_bytes() {
                [b'.', mark @ b'A'..=b'Z'] => fields.push((char::from(*mark), String::new())),
                _ => {
                    if let Some((_, text)) = fields.last_mut() {
                        text.push_str(line);
                        text.push('\n');
                    }
                }
            }
        }
    }
    found
}
