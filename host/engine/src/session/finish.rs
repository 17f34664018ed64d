//! Items are reported and finished: what is shown of them, their files, and what is recorded.

use std::sync::Arc;

use jackfield_pipeline::{Source, Wire};
use jackfield_store::{ItemDone, ItemFiles, ItemState, Record};
use serde_json::json;

use super::Session;
use crate::{
    index::ItemSlot,
    input::{SourceValue, text_of, value_of},
    item::{Item, StageState},
    item_files::pretty,
    observe::Event,
};

/// What is shown of an item.
struct ShownLine {
    /// Its position in the plan's list.
    position: usize,
    text: String,
}

impl Session<'_, '_> {
    /// Reports an item whose deferred stages are still to come.
    pub(super) fn report(&mut self, slot: ItemSlot) {
        let item = self.scheduler.item(slot);
        let (index, id, lines) = (item.index, Arc::clone(&item.id), self.lines(item));
        let files = (index >= 0 && self.writes_files())
            .then(|| ItemFiles { folder: item.folder.clone(), files: self.files(item) });
        self.record_event(json!({ "event": "item-reported", "item": &*id, "final": false }));
        self.show(&id, &lines);
        let item = self.scheduler.item_mut(slot);
        lines.iter().for_each(|line| item.shown[line.position] = true);
        if let Some(files) = files {
            self.scheduler.record(Record::Files(files));
        }
    }

    /// What is there of an item that the pipeline wants shown and that was not shown before.
    fn lines(&self, item: &Item) -> Vec<ShownLine> {
        let run = self.scheduler.run_stages();
        let line = |(position, (_, wire)): (usize, &(String, Wire))| {
            let spent = if wire.source == Source::Spend { Some(item.spent(self.plan, &wire.path)?) } else { None };
            let value_in =
                |source| spent.as_ref().map_or_else(|| item.source_value(run, None, source), SourceValue::Present);
            let document = value_of(wire, &value_in).ok()?;
            Some(ShownLine { position, text: text_of(&document) })
        };
        let show = self.plan.output.show.iter().enumerate();
        show.filter(|(position, _)| !item.shown[*position]).filter_map(line).collect()
    }

    fn show(&mut self, item: &str, lines: &[ShownLine]) {
        for ShownLine { position, text } in lines {
            self.scheduler.emit(&Event::Shown { item, name: &self.plan.output.show[*position].0, text });
        }
    }

    /// An item is done: it is shown, recorded, learned from and counted.
    pub(super) fn finish(&mut self, item: Item) {
        if !self.wires.is_empty() {
            self.values = self.values_of(&item);
        }
        if self.keeps_values() {
            self.kept_values.keep(self.plan, &item, self.scheduler.run_stages());
        }
        self.show(&item.id, &self.lines(&item));
        self.memory.bytes -= item.document.json.len();
        let fault = self.scheduler.finish_trial(&item);
        let state = if fault.is_some() { ItemState::Failed } else { item.state() };
        if let Some(fault) = &fault {
            self.scheduler.emit(&Event::Unreadable { item: &item.id, fault });
        }
        let files = self.writes_files().then(|| ItemFiles { folder: item.folder.clone(), files: self.files(&item) });
        let stopped_by = item.stopped_by.map(|stage| stage.to_record());
        self.scheduler.finish_routes(&item);
        self.scheduler.record(Record::Done(ItemDone { index: item.index as u64, state, stopped_by, fault, files }));
        self.scheduler.count_item(&item.id, state, Some(item.admitted));
    }

    /// The files of an item: a file a stage, and those that the pipeline names.
    fn files(&self, item: &Item) -> Vec<(String, Arc<str>)> {
        let mut files = Vec::new();
        if self.plan.output.item_files {
            for (stage, state) in item.stages.enumerate() {
                if let StageState::Done { document, .. } = state
                    && item.wants(stage)
                {
                    let name = format!("{}.json", self.plan.stages[stage.get()].name);
                    files.push((name, pretty(&document.json).into()));
                }
            }
        }
        let run = self.scheduler.run_stages();
        for (name, wire) in &self.plan.output.files {
            if let Ok(document) = value_of(wire, &|source| item.counted_value(run, source)) {
                let text: Arc<str> = match serde_json::from_str::<String>(&document.json) {
                    Ok(text) => text.into(),
                    Err(_) => pretty(&document.json).into(),
                };
                files.push((name.clone(), text));
            }
        }
        files
    }
}
