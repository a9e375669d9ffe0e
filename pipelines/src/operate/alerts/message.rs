//! What a channel gets at once: everything that began or ended, and what was reclassified.

use vardelta_engine::{
    edge::{escape, secret},
    plan::Severity,
};

use super::alert::{Alert, Detail};

/// Characters of a message, at the most: Slack takes no more as one text.
const CHARACTERS_MAX: usize = 3_500;

/// One thing that is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Something is wrong since this run.
    Firing(Alert, Detail),
    /// It is over; since when it was.
    Resolved(Alert, String),
    /// Variants were reclassified: how many, and which.
    Reclassified(u64, Detail),
    /// Nothing: somebody tries whether the channel works.
    Test,
}

/// A message about one pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Lines, without a secret and without what would steer a terminal.
    pub text: String,
}

impl Message {
    /// A message of these items, the worst first.
    pub fn of(pipeline: &str, items: &[Item], redact: bool) -> Message {
        let blocks: Vec<String> = items.iter().map(|item| item.block(redact)).collect();
        let subject = match items {
            [item] => item.headline(),
            items => {
                let firing = items.iter().filter(|item| matches!(item, Item::Firing(..))).count();
                let resolved = items.iter().filter(|item| matches!(item, Item::Resolved(..))).count();
                let more = if items.len() > firing + resolved { ", variants reclassified" } else { "" };
                format!("{firing} firing, {resolved} resolved{more}")
            }
        };
        let text = blocks.join("\n\n");
        let safe = escape::lines(&secret::hide(&text)).into_owned();
        Message { subject: format!("[vardelta] {pipeline}: {subject}"), text: cut(&safe) }
    }
}

impl Item {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Item::Firing(alert, _) | Item::Resolved(alert, _) => alert.severity(),
            Item::Reclassified(..) | Item::Test => Severity::Warning,
        }
    }

    /// The item in a line that names nothing of a file.
    pub fn headline(&self) -> String {
        match self {
            Item::Firing(alert, _) => format!("{} ({}) is firing", alert.name(), alert.severity().as_str()),
            Item::Resolved(alert, _) => format!("{} ({}) is resolved", alert.name(), alert.severity().as_str()),
            Item::Reclassified(count, _) => {
                let s = if *count == 1 { "" } else { "s" };
                format!("clinvar_reclassification (warning): {count} row{s}")
            }
            Item::Test => "a test of this channel".into(),
        }
    }

    fn block(&self, redact: bool) -> String {
        let rest = match self {
            Item::Firing(_, detail) | Item::Reclassified(_, detail) => detail.said(redact).to_owned(),
            Item::Resolved(_, since) => format!("It was firing since {since}."),
            Item::Test => "If you read this, alerts of this pipeline reach you.".into(),
        };
        format!("{}\n{rest}", self.headline())
    }
}

/// The text, cut at the end of a line where it is too long.
fn cut(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(CHARACTERS_MAX) else { return text.to_owned() };
    let end = text[..end].rfind('\n').unwrap_or(end);
    format!("{}\n… (cut)", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_all_that_changed_and_no_command_to_a_terminal() {
        let detail = Detail { bare: "input".into(), whole: "input: a\u{1b}[2J.vcf, mysql://me:hush@h/w".into() };
        let items = [Item::Firing(Alert::RunFailed, detail), Item::Resolved(Alert::LowDisk, "noon".into())];
        let message = Message::of("p", &items, false);
        assert_eq!(message.subject, "[vardelta] p: 1 firing, 1 resolved");
        assert_eq!(
            message.text,
            "run_failed (critical) is firing\ninput: a\\u{1b}[2J.vcf, mysql://me:***\n\nlow_disk (critical) is resolved\nIt was firing \
             since noon."
        );
        let message = Message::of("p", &items[..1], true);
        assert_eq!(message.subject, "[vardelta] p: run_failed (critical) is firing");
        assert_eq!(message.text, "run_failed (critical) is firing\ninput");
    }

    #[test]
    fn long_messages_are_cut_between_lines() {
        let detail = Detail::plain("é 123456789\n".repeat(1_000));
        let text = Message::of("p", &[Item::Reclassified(1_000, detail)], false).text;
        assert!(text.chars().count() < CHARACTERS_MAX + 20 && text.ends_with("é 123456789\n… (cut)"), "{text}");
    }
}
