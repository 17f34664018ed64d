//! Whether a run's SQLite file is what was written: every row against its checksum, every item that is done against the
//! number of its results, the whole against `run.json`.
//!
//! Whoever reads the file looks first, and reports rather than shows what is wrong. A run that goes on mends: a row that is
//! damaged is taken out, and the call that it stood for is made again.

use jackfield_pipeline::Plan;
use jackfield_plugin_api::to_hex;
use rusqlite::{Connection, Rows, types::Value};

use super::{
    Db, RunJson, StoreError,
    blobs::{BLOBS, BlobCheck, Look},
    db::{end_session, reopen_item},
    folder::Recorded,
    references::{BlobKey, NamedTensor, named_tensors},
    tables::{self, ALL, Sealed},
};

/// Beyond so many damaged rows, the rest is not looked at.
const MOST: usize = 10_000;
/// So many are named, one by one.
const NAMED: usize = 5;

/// A row that is not what was written.
struct Damage {
    sealed: &'static Sealed,
    key: Vec<Value>,
}

/// What stands in a file, and what of it is damaged.
#[derive(Default)]
pub(crate) struct Inspection {
    rows: u64,
    recorded: Recorded,
    damage: Vec<Damage>,
    /// Results that are as they were written, but for a tensor that they name: which, and what is wrong with it.
    bereft: Vec<(Damage, String)>,
    /// Positions of items that are done and lack some of their results.
    incomplete: Vec<i64>,
}

impl Inspection {
    pub(crate) fn is_clean(&self) -> bool {
        self.damage.is_empty() && self.bereft.is_empty() && self.incomplete.is_empty()
    }

    /// What stands in the file, damaged rows included.
    pub(crate) fn recorded(&self) -> Recorded {
        self.recorded
    }

    /// The results that are to be made again.
    fn results(&self) -> impl Iterator<Item = &Damage> {
        let damaged = self.damage.iter().filter(|damage| damage.sealed.name == "results");
        damaged.chain(self.bereft.iter().map(|(damage, _)| damage))
    }

    /// What is damaged, in words: the first few, and how many there are.
    fn words(&self, plan: &Plan) -> String {
        let damaged = self.damage.iter().map(|damage| damage.words(plan));
        let bereft = self.bereft.iter().map(|(damage, what)| format!("{} ({what})", damage.words(plan)));
        let incomplete = self.incomplete.iter().map(|item| format!("some results of item {}", item + 1));
        let named: Vec<String> = damaged.chain(bereft).chain(incomplete).take(NAMED).collect();
        let others = self.damage.len() + self.bereft.len() + self.incomplete.len() - named.len();
        match others {
            0 => named.join(", "),
            others => format!("{}, and {others} more", named.join(", ")),
        }
    }
}

impl Damage {
    fn int(&self, at: usize) -> i64 {
        match self.key.get(at) {
            Some(Value::Integer(number)) => *number,
            _ => i64::MIN,
        }
    }

    fn words(&self, plan: &Plan) -> String {
        let stage = |at: usize| {
            let index = usize::try_from(self.int(at)).ok();
            index.and_then(|index| plan.stages.get(index)).map_or("?", |stage| stage.name.as_str())
        };
        match self.sealed.name {
            "results" if self.int(0) < 0 => format!("the result of stage `{}`", stage(1)),
            "results" => format!("the result of stage `{}` for item {}", stage(1), self.int(0).saturating_add(1)),
            "routes" => format!("the decision of stage `{}` for item {}", stage(1), self.int(0).saturating_add(1)),
            "items" | "trials" => format!("{} ({})", self.sealed.what, self.int(0).saturating_add(1)),
            _ => self.sealed.what.to_owned(),
        }
    }
}

impl Db {
    /// Looks at every row.
    pub(crate) fn inspect(&self) -> Result<Inspection, StoreError> {
        self.inspect_with(&mut BlobCheck::beside(&self.path, Look::Length))
    }

    /// Looks at every row, and at the tensors that results name.
    fn inspect_with(&self, blobs: &mut BlobCheck) -> Result<Inspection, StoreError> {
        let mut found = Inspection::default();
        for sealed in ALL {
            if sealed.name != "results" {
                self.scan(sealed, &mut found)?;
            }
        }
        self.scan_results(&mut found, blobs)?;
        // A page of another encoding makes all rows look damaged, and mending would make everything again.
        if found.damage.len() >= MOST || found.damage.len() as u64 * 2 > found.rows.max(8) {
            let message = "more of its rows are damaged than can be made again".to_owned();
            return Err(StoreError::Damaged { path: self.path.clone(), message });
        }
        let hit: std::collections::BTreeSet<i64> = found.results().map(|damage| damage.int(0)).collect();
        found.incomplete.retain(|item| !hit.contains(item));
        Ok(found)
    }

    fn scan(&self, sealed: &'static Sealed, found: &mut Inspection) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {}", sealed.listed(), sealed.name);
        self.run(|db| {
            let mut query = db.prepare(&sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                found.rows += 1;
                match (sealed.name, sealed.sum) {
                    ("items", "sum") => found.recorded.items += 1,
                    ("model_calls", _) => found.recorded.completions += 1,
                    ("routes" | "trials", _) => found.recorded.decisions += 1,
                    ("lookups", _) => found.recorded.lookups += 1,
                    ("events", _) => found.recorded.events += 1,
                    _ => {}
                }
                if self.has_sums && sealed.checked(row)?.is_none() {
                    found.damage.push(Damage { sealed, key: key_of(sealed, row)? });
                    if found.damage.len() >= MOST {
                        break;
                    }
                }
            }
            Ok(())
        })
    }

    /// The results beside the items: both come in the order of the items.
    fn scan_results(&self, found: &mut Inspection, blobs: &mut BlobCheck) -> Result<(), StoreError> {
        let sealed = &tables::RESULTS;
        let sql = format!("SELECT {} FROM results", sealed.listed());
        self.run(|db| {
            let mut query = db.prepare(&sql)?;
            let mut rows = query.query([])?;
            let mut items = db.prepare("SELECT idx, rows, rows_sum FROM items WHERE state IS NOT NULL ORDER BY idx")?;
            let mut items = items.query([])?;
            let mut next = next_item(&mut items)?;
            let (mut count, mut sum) = (0_i64, 0_i64);
            loop {
                let row = rows.next()?;
                let item = row.map(|row| row.get::<_, i64>(0).unwrap_or(i64::MIN));
                // All results of the items before this one have been seen.
                while let Some(done) = next
                    && item.is_none_or(|item| item > done.index)
                {
                    if self.has_sums && (done.rows, done.sum) != (Some(count), Some(sum)) {
                        found.incomplete.push(done.index);
                    }
                    (count, sum) = (0, 0);
                    next = next_item(&mut items)?;
                }
                let Some(row) = row else { return Ok(()) };
                found.rows += 1;
                found.recorded.results += 1;
                match sealed.checked(row)? {
                    Some(_) if let Some(what) = fault_of_tensors(row, blobs)? => {
                        found.bereft.push((Damage { sealed, key: key_of(sealed, row)? }, what));
                    }
                    Some(own) if next.is_some_and(|done| Some(done.index) == item) => {
                        count += 1;
                        sum = sum.wrapping_add(own);
                    }
                    None if self.has_sums && found.damage.len() < MOST => {
                        found.damage.push(Damage { sealed, key: key_of(sealed, row)? });
                    }
                    _ => {}
                }
            }
        })
    }

    /// Looks at every row before any is shown, and whether the file goes with `run.json`.
    ///
    /// # Errors
    /// If a row is damaged, if some are missing, or if it is the record of another run.
    pub fn verify(&self, run: &RunJson) -> Result<(), StoreError> {
        self.belongs_to(run)?;
        let found = self.inspect()?;
        self.goes_with(run, &found)?;
        if found.is_clean() {
            return Ok(());
        }
        Err(StoreError::DamagedRows { path: self.path.clone(), what: found.words(&run.plan) })
    }

    /// Looks at every row of an item before any is shown.
    ///
    /// # Errors
    /// As those of [`verify`](Self::verify).
    pub fn verify_item(&self, item: i64, run: &RunJson) -> Result<(), StoreError> {
        self.belongs_to(run)?;
        if !self.has_sums {
            return Ok(());
        }
        let mut found = Inspection::default();
        let mut blobs = BlobCheck::beside(&self.path, Look::Length);
        let (mut count, mut sum, mut of_item) = (0_i64, 0_i64, None);
        self.run(|db| {
            for (sealed, key) in [(&tables::ITEMS, "idx"), (&tables::ITEM_ENDS, "idx"), (&tables::RESULTS, "item")] {
                let sql = format!("SELECT {} FROM {} WHERE {key} = ?1", sealed.listed(), sealed.name);
                let mut query = db.prepare_cached(&sql)?;
                let mut rows = query.query([item])?;
                while let Some(row) = rows.next()? {
                    match sealed.checked(row)? {
                        None => found.damage.push(Damage { sealed, key: key_of(sealed, row)? }),
                        Some(own) if sealed.name == "results" => {
                            if let Some(what) = fault_of_tensors(row, &mut blobs)? {
                                found.bereft.push((Damage { sealed, key: key_of(sealed, row)? }, what));
                            }
                            count += 1;
                            sum = sum.wrapping_add(own);
                        }
                        Some(_) if sealed.sum == "end_sum" => of_item = row.get::<_, Option<i64>>(4)?.zip(row.get(5)?),
                        Some(_) => {}
                    }
                }
            }
            Ok(())
        })?;
        if found.damage.is_empty() && of_item.is_some_and(|(rows, rows_sum)| (rows, rows_sum) != (count, sum)) {
            found.incomplete.push(item);
        }
        if found.is_clean() {
            return Ok(());
        }
        Err(StoreError::DamagedRows { path: self.path.clone(), what: found.words(&run.plan) })
    }

    fn belongs_to(&self, run: &RunJson) -> Result<(), StoreError> {
        match self.whose()? {
            Some(found) if found != run.run => {
                Err(StoreError::OtherRun { path: self.path.clone(), found, wanted: run.run.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Rows are damaged; they do not vanish. A file with fewer of them than were counted is another one.
    fn goes_with(&self, run: &RunJson, found: &Inspection) -> Result<(), StoreError> {
        let Some(wanted) = run.recorded else { return Ok(()) };
        let there = found.recorded();
        for (what, there, wanted) in [
            ("items", there.items, wanted.items),
            ("results", there.results, wanted.results),
            ("completions", there.completions, wanted.completions),
            ("decisions", there.decisions, wanted.decisions),
            ("lookups of caches", there.lookups, wanted.lookups),
            ("events", there.events, wanted.events),
        ] {
            if there < wanted {
                let message = format!("it holds {there} {what}, `run.json` counts {wanted}");
                return Err(StoreError::Contradiction { path: self.path.clone(), message });
            }
        }
        Ok(())
    }

    /// Looks at every row of a run that goes on, and at the tensors that results name, and takes out what is damaged, so that
    /// it is made again. Says what that was; none if there was nothing. Tensors that no result names are taken away.
    ///
    /// # Errors
    /// If the file does not go with `run.json`, or if what is damaged cannot be made again.
    pub fn mend(&self, run: &RunJson) -> Result<Option<String>, StoreError> {
        self.belongs_to(run)?;
        let mut blobs = BlobCheck::beside(&self.path, Look::Digest);
        let found = self.inspect_with(&mut blobs)?;
        self.goes_with(run, &found)?;
        if found.is_clean() {
            blobs.sweep()?;
            return Ok(None);
        }
        let beyond = |what: &str| StoreError::Damaged {
            path: self.path.clone(),
            message: format!("{what} is not as it was written, and cannot be made again"),
        };
        let lost = found.damage.iter().find(|damage| ["meta", "route_starts"].contains(&damage.sealed.name));
        if let Some(lost) = lost {
            return Err(beyond(lost.sealed.what));
        }
        self.begin()?;
        let mended = self.run(|db| {
            for damage in found.damage.iter().chain(found.bereft.iter().map(|(damage, _)| damage)) {
                mend_row(db, damage, &run.began)?;
            }
            let completions = found.damage.iter().filter(|damage| damage.sealed.name == "model_calls");
            for damage in completions.clone() {
                mend_completion(db, damage.int(0))?;
            }
            if completions.count() > 0 {
                tables::seal(db, &tables::COMPLETIONS)?;
            }
            found.incomplete.iter().try_for_each(|item| reopen_item(db, *item))
        });
        if let Err(error) = mended {
            let _ = self.run(|db| db.execute_batch("ROLLBACK"));
            return Err(error);
        }
        self.commit()?;
        // What cannot be found by its key cannot be taken out.
        let mut left = BlobCheck::beside(&self.path, Look::Length);
        if !self.inspect_with(&mut left)?.is_clean() {
            return Err(beyond("some of it"));
        }
        left.sweep()?;
        Ok(Some(found.words(&run.plan)))
    }
}

/// What is wrong with the tensors that a result names, if anything is.
fn fault_of_tensors(row: &rusqlite::Row<'_>, blobs: &mut BlobCheck) -> rusqlite::Result<Option<String>> {
    let Some(json) = row.get_ref("output")?.as_str_or_null().ok().flatten() else { return Ok(None) };
    // What names no tensors in a way that can be read was refused when it was answered.
    let named = named_tensors(json).unwrap_or_default();
    let fault = |tensor: NamedTensor| Some((tensor.key, blobs.fault(tensor)?));
    // All of them are looked at: what is not is nobody's, and is taken away.
    let faults: Vec<_> = named.into_iter().filter_map(fault).collect();
    let word = |(key, what): &(BlobKey, &str)| format!("`{BLOBS}/{}` is {what}", to_hex(key));
    Ok(faults.first().map(word))
}

fn mend_row(db: &Connection, damage: &Damage, began: &str) -> rusqlite::Result<()> {
    let (item, stage) = (damage.int(0), damage.int(1));
    match (damage.sealed.name, damage.sealed.sum) {
        ("sessions", "sum") => mend_session(db, item, Some(began)),
        ("sessions", _) => mend_session(db, item, None),
        // The item is taken up as if it were new; its results are still known by its position.
        ("items", "sum") => remove(db, damage),
        ("items", _) => reopen_item(db, item),
        ("results", _) => {
            remove(db, damage)?;
            reopen_item(db, item)
        }
        ("routes", _) => {
            remove(db, damage)?;
            // The decision is made again, and its call with it: that it was the first arm is not known.
            db.execute("DELETE FROM results WHERE item = ?1 AND stage = ?2", [item, stage])?;
            reopen_item(db, item)
        }
        // The values are picked again, and are the same.
        ("trials", _) => {
            remove(db, damage)?;
            reopen_item(db, item)
        }
        _ => remove(db, damage),
    }
}

fn remove(db: &Connection, damage: &Damage) -> rusqlite::Result<()> {
    let keys = damage.sealed.columns[..damage.sealed.key].iter().enumerate();
    let place: Vec<String> = keys.map(|(at, key)| format!("{key} = ?{}", at + 1)).collect();
    let sql = format!("DELETE FROM {} WHERE {}", damage.sealed.name, place.join(" AND "));
    db.execute(&sql, rusqlite::params_from_iter(&damage.key)).map(drop)
}

/// A session whose own row is not to be trusted: it began with the run, and was cut short.
fn mend_session(db: &Connection, id: i64, began: Option<&str>) -> rusqlite::Result<()> {
    if let Some(began) = began {
        let sql = "UPDATE sessions SET began = ?2, sum = ?3 WHERE id = ?1";
        tables::SESSIONS.put(db, sql, &[tables::int(id), tables::text(began)])?;
    }
    end_session(db, id, None, "interrupted")
}

/// Counts a completion whose row was damaged, and is gone, like the one with the most tokens: more is not known of it.
fn mend_completion(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO model_calls (seq, session, model, stage, item, source, tries, tokens_in, tokens_out, usd, \
         began_us, took_us, open)
         SELECT ?1, session, model, stage, item, 'call', 1, MAX(tokens_in), tokens_out, usd, 0, 0, 1
         FROM model_calls HAVING COUNT(*) > 0",
        [seq],
    )?;
    Ok(())
}

fn key_of(sealed: &Sealed, row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..sealed.key).map(|at| row.get(at)).collect()
}

/// An item that is done.
#[derive(Clone, Copy)]
struct Done {
    index: i64,
    rows: Option<i64>,
    sum: Option<i64>,
}

fn next_item(items: &mut Rows<'_>) -> rusqlite::Result<Option<Done>> {
    let Some(row) = items.next()? else { return Ok(None) };
    // A value of another type is as good as none: the row's own checksum tells.
    let number = |at: usize| row.get::<_, Option<i64>>(at).unwrap_or_default();
    Ok(Some(Done { index: number(0).unwrap_or_default(), rows: number(1), sum: number(2) }))
}
