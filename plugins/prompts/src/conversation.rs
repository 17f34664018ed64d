//! The messages, as templates, and as what a model is asked.

use std::collections::BTreeSet;

use jackfield_plugin_api::prelude::*;
use jackfield_templates::{Template, TemplateSet, Values, Variable};

use crate::{settings::PromptMessage, shots::Shot};

/// The names of variables, each once, for a message.
fn listed<'a>(variables: impl Iterator<Item = &'a Variable>) -> String {
    let names: BTreeSet<&str> = variables.map(Variable::name).collect();
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A message whose text is yet to be made.
#[derive(Clone, Debug)]
struct Planned {
    role: Role,
    /// The number of its template.
    template: usize,
}

/// The templates of all messages, parsed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conversation {
    templates: TemplateSet,
    messages: Vec<Planned>,
    /// The examples, as messages, which stand before the last message of the user.
    shots: Vec<Message>,
}

impl Conversation {
    /// Of a system and a user template, or of these messages.
    ///
    /// # Errors
    /// What is wrong, as a fragment.
    pub(crate) fn new(
        system: Option<&Template>,
        user: Option<&Template>,
        messages: &[PromptMessage],
        shots: &[Shot],
    ) -> std::result::Result<Self, String> {
        let mut made = Self::default();
        match (user, messages) {
            (None, []) => return Err("there is nothing to ask: set `user`, a template, or `messages`".to_owned()),
            (Some(_), [_, ..]) => return Err("`user` and `messages` exclude each other".to_owned()),
            (None, [_, ..]) if system.is_some() => {
                return Err("`system` and `messages` exclude each other: make it the first message".to_owned());
            }
            (Some(user), []) => {
                if let Some(system) = system {
                    made.add(Role::System, "system", system)?;
                }
                made.add(Role::User, "user", user)?;
            }
            (None, messages) => {
                for (at, message) in messages.iter().enumerate() {
                    made.add(message.role, &format!("messages[{at}]"), &message.content)?;
                }
                if messages.last().is_none_or(|message| message.role != Role::User) {
                    return Err("the last of `messages` has to be the user's: it is what the model answers".to_owned());
                }
            }
        }
        made.show(shots)?;
        Ok(made)
    }

    fn add(&mut self, role: Role, name: &str, template: &Template) -> std::result::Result<(), String> {
        let name = template.path().unwrap_or(name);
        let added = self.templates.add(name, template.text());
        let template = added.map_err(|fault| format!("the template `{name}`, {fault}"))?;
        self.messages.push(Planned { role, template });
        Ok(())
    }

    /// Renders the examples by the template of the last message.
    fn show(&mut self, shots: &[Shot]) -> std::result::Result<(), String> {
        let Some(last) = self.messages.last().map(|message| message.template) else { return Ok(()) };
        let used = self.templates.variables_of(last);
        for (shot, number) in shots.iter().zip(1..) {
            if let Some(unused) = shot.variables.keys().find(|name| used.iter().all(|used| used.name() != *name)) {
                let used = listed(used.iter());
                let uses = if used.is_empty() { String::new() } else { format!("; it uses {used}") };
                return Err(format!("example {number} has `{unused}`, which the user's template does not use{uses}"));
            }
            let question = self.templates.render(last, &Values::new(&shot.variables));
            let question = question.map_err(|error| format!("example {number}: {error}"))?;
            self.shots.push(Message::user(question));
            self.shots.push(Message::assistant(shot.answer.clone()));
        }
        Ok(())
    }

    /// Whether any of the templates uses a variable.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.templates.variables().any(|variable| variable.name() == name)
    }

    /// The names of the variables that the templates use, for a message.
    pub(crate) fn variables(&self) -> String {
        listed(self.templates.variables())
    }

    /// What the model is asked with these values.
    ///
    /// # Errors
    /// [`Failure::InvalidInput`] where a template gives no text.
    pub(crate) fn messages(&self, values: &Values) -> Result<Vec<Message>> {
        let mut made = Vec::with_capacity(self.messages.len() + self.shots.len());
        for (at, message) in self.messages.iter().enumerate() {
            if at + 1 == self.messages.len() {
                made.extend(self.shots.iter().cloned());
            }
            let text = self.templates.render(message.template, values);
            let content = text.map_err(|error| Failure::InvalidInput(error.to_string()))?;
            made.push(Message { role: message.role, content });
        }
        Ok(made)
    }
}
