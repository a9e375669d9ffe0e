//! The `[operate.alerts]` table: what is worth an alert, and who gets it.

use std::{path::PathBuf, time::Duration};

use vardelta_schemas::ColumnType;

use super::{
    address::{MailAddress, SmtpUrl, WebhookUrl},
    nested,
};
use crate::{
    choices,
    contract::{
        options::{OptionReader, OptionValue, Spanned, wrong_type},
        span::Span,
    },
    diagnostics::Diagnostics,
    options,
    plan::{Plan, Share, json_schema},
    spec::{Node, Value},
    suggest::{listed, nearest},
};

options! {
    /// Options of `[operate.alerts]`.
    pub struct AlertOptions {
        /// Share of a drop's records, 0 to 1, above which rejects are worth a warning. Default: half of `max_reject_share`.
        "reject_share" => reject_share: Option<Share> = None, "half of max_reject_share",
        /// How many times the median of its own last 20 runs a run may take, while it also reads so many times fewer records a
        /// second, before there is a warning.
        "slow_factor" => slow_factor: f64 = 3.0, "3.0",
        /// Seconds that a run may take in any case.
        "slow_seconds" => slow_seconds: f64 = 10.0, "10.0",
        /// Hours since the last committed epoch above which tables are stale. Default: the `fresh_hours` of health.
        "stale_hours" => stale_hours: Option<f64> = None, "fresh_hours of health",
        /// Share of the looked-up keys of a run, 0 to 1, that may get no answer before there is a warning.
        "lookup_failed_share" => lookup_failed_share: Share = Share(0.05), "0.05",
        /// How often `watch` looks at disks, at how old the tables are, and whether it can load, also while no file comes.
        "look_every" => look_every: Span = Span(Duration::from_secs(60)), "\"1m\"",
        /// For how long `watch` may wait for the database, or for another run, before that is an alert.
        "waiting_for" => waiting_for: Span = Span(Duration::from_secs(300)), "\"5m\"",
        /// Which table shows reclassified variants, and by which column.
        "reclassification" => reclassification: Option<ReclassificationOptions> = None, "none",
        /// Leave out of messages what may name a person: the words of errors, drops, and rows.
        "redact" => redact: bool = false, "false",
        /// A Slack channel.
        "slack" => slack: Option<SlackOptions> = None, "none",
        /// E-mail.
        "email" => email: Option<EmailOptions> = None, "none",
    }
}

options! {
    /// Options of `[operate.alerts.reclassification]`.
    pub struct ReclassificationOptions {
        /// The table, of which the sink keeps a history.
        "table" => table: Spanned<String>,
        /// The number that ranks a classification, made with `clinvar_rank`: rows where an epoch moves it are reported, those that
        /// rise or fall most first.
        "by" => by: Spanned<String>,
        /// A number of the row that says how often the variant is carried: rows where it is 0 are not reported. Default: all are.
        "carriers" => carriers: Option<Spanned<String>> = None, "every row counts",
        /// Rows that a message lists, at the most.
        "top_rows" => top_rows: u64 = 10, "10",
    }
}

options! {
    /// Options of `[operate.alerts.slack]`.
    pub struct SlackOptions {
        /// The channel's incoming webhook, best from a variable: `${VARDELTA_SLACK_WEBHOOK}`.
        "webhook" => webhook: WebhookUrl,
        /// Which alerts go there.
        "on" => on: Vec<Severity> = vec![Severity::Critical, Severity::Warning], "[\"critical\", \"warning\"]",
    }
}

options! {
    /// Options of `[operate.alerts.email]`.
    pub struct EmailOptions {
        /// The mail server, best from a variable: `smtps://user:password@host:465`; `smtp://host:587` for STARTTLS; without
        /// encryption only on this machine.
        "smtp" => smtp: SmtpUrl,
        /// Whom mails are from.
        "from" => from: MailAddress,
        /// Whom they go to.
        "to" => to: Vec<MailAddress>,
        /// Which alerts go there.
        "on" => on: Vec<Severity> = vec![Severity::Critical], "[\"critical\"]",
        /// Certificates in PEM of an authority that is trusted beside those of the web, relative to the pipeline file.
        "tls_ca" => tls_ca: Option<PathBuf> = None, "none",
    }
}

choices! {
    /// How bad it is.
    pub enum Severity {
        /// Somebody has to do something now.
        Critical = "critical",
        /// Somebody should look at it.
        Warning = "warning",
    }
}

nested!(AlertOptions, "[operate.alerts]");
nested!(ReclassificationOptions, "[operate.alerts.reclassification]");
nested!(SlackOptions, "[operate.alerts.slack]");
nested!(EmailOptions, "[operate.alerts.email]");

/// Reports a table or a column of `[operate.alerts.reclassification]` that is not there.
pub(in crate::plan) fn check(plan: &Plan, problems: &mut Diagnostics) {
    let Some(wanted) = plan.operate.alerts.as_ref().and_then(|alerts| alerts.reclassification.as_ref()) else { return };
    let (kept, tables) = (plan.sink().history(), plan.tables());
    let Some(table) = tables.iter().find(|table| table.name == wanted.table.value && kept.contains(&table.name)) else {
        let name = &wanted.table.value;
        let problem = problems.error(wanted.table.span.clone(), format!("the sink keeps no history of `{name}`"));
        problem.label("no history");
        match nearest(name, kept.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint("Name a table that the sink's `history` lists."),
        };
        return;
    };
    for column in [Some(&wanted.by), wanted.carriers.as_ref()].into_iter().flatten() {
        let all = table.schema.columns();
        let others = || (0..all.len()).filter(|at| !table.key.contains(at)).map(|at| all[at].name.as_str());
        let found = all.iter().enumerate().find(|(at, known)| known.name == column.value && !table.key.contains(at));
        match found.map(|(_, known)| &known.column_type) {
            Some(ColumnType::Int64 | ColumnType::Float64 | ColumnType::Decimal { .. }) => {}
            Some(other) => {
                problems
                    .error(column.span.clone(), format!("`{}` is {other}, and no number", column.value))
                    .hint("Name a column that counts or ranks, for example one made with `clinvar_rank`.");
            }
            None => {
                let message = format!("`{}` has no column `{}` outside its key", table.name, column.value);
                let hint = match nearest(&column.value, others()) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("It has: {}.", listed(others())),
                };
                problems.error(column.span.clone(), message).label("unknown column").hint(hint);
            }
        }
    }
}
