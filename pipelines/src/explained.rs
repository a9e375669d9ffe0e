//! A row explained, for people and for programs.

use std::fmt::Write as _;

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json, json};
use vardelta_engine::run::why::{Asserted, Because, Cells, Contribution, DropName, Happened, Why};

use crate::{
    changes::cells,
    report::{Table, grouped},
};

/// The explanation as JSON.
pub fn json(why: &Why) -> Json {
    let assertion = |one: &Asserted| {
        json!({
            "drop": one.drop.name,
            "source": one.drop.source,
            "line": one.origin,
            "loaded_epoch": one.loaded_epoch,
            "stands": one.stands,
            "row": object(&one.row),
        })
    };
    let contribution = |one: &Contribution| {
        let first = one.first.iter().map(|(key, origin)| json!({ "key": object(key), "line": origin }));
        json!({
            "table": one.table,
            "drop": one.drop.name,
            "source": one.drop.source,
            "rows": one.rows,
            "first": first.collect::<Vec<Json>>(),
        })
    };
    let because = |one: &Because| {
        json!({
            "table": one.table,
            "operation": one.operation,
            "key": object(&one.key),
            "columns": moved_json(&one.moved),
        })
    };
    let happened = |one: &Happened| {
        json!({
            "epoch": one.epoch,
            "operation": one.operation,
            "changed_at": one.changed_at,
            "drops": one.drops,
            "columns": moved_json(&one.moved),
            "because": one.because.iter().map(because).collect::<Vec<Json>>(),
        })
    };
    let stages = why.stages.iter().map(|(name, of_type)| json!({ "name": name, "type": of_type }));
    json!({
        "pipeline": why.pipeline,
        "epoch": why.epoch,
        "table": why.table,
        "key": object(&why.key),
        "row": why.row.as_ref().map(object),
        "stages": stages.collect::<Vec<Json>>(),
        "assertions": why.assertions.iter().map(assertion).collect::<Vec<Json>>(),
        "contributions": why.contributions.iter().map(contribution).collect::<Vec<Json>>(),
        "history": why.happened.iter().map(happened).collect::<Vec<Json>>(),
        "notices": why.notices,
    })
}

fn object(row: &Cells) -> Json {
    Json::Object(row.iter().map(|(name, value)| (name.clone(), cells::json(value, 0))).collect::<Map<String, Json>>())
}

fn moved_json(moved: &[(String, ArrayRef, ArrayRef)]) -> Vec<Json> {
    let of = |(name, old, new): &(String, ArrayRef, ArrayRef)| json!({ "name": name, "old": cells::json(old, 0), "new": cells::json(new, 0) });
    moved.iter().map(of).collect()
}

/// The explanation in words.
pub fn text(why: &Why) -> String {
    let mut text = format!("{}: `{}` {}, epoch {}\n", why.pipeline, why.table, words(&why.key), why.epoch);
    text += "\nrow\n";
    match &why.row {
        Some(row) => {
            let _ = writeln!(text, "  {}", words(row));
        }
        None => text += "  there is none now\n",
    }
    let stages: Vec<String> = why.stages.iter().map(|(name, of_type)| format!("{name} ({of_type})")).collect();
    let _ = writeln!(text, "\nthrough\n  {}", stages.join(", "));
    if !why.assertions.is_empty() {
        let mut table = Table::titled(["drop", "source", "record", "loaded in", "stands", "row"]);
        for one in &why.assertions {
            table.row().text(&one.drop.name).text(&one.drop.source).text(place(&one.drop, one.origin));
            table.number(one.loaded_epoch.number()).text(if one.stands { "yes" } else { "no" });
            let row: Cells =
                one.row.iter().filter(|(name, _)| !why.key.iter().any(|key| key.0 == *name)).cloned().collect();
            table.text(words(&row));
        }
        let _ = write!(text, "\nasserted by, in ledger order\n{}", table.render());
    }
    if !why.contributions.is_empty() {
        text += "\nmade of\n";
    }
    for one in &why.contributions {
        let s = if one.rows == 1 { "" } else { "s" };
        let _ = writeln!(text, "  `{}`: {} row{s} of drop {}", one.table, grouped(one.rows), one.drop.name);
        for (key, origin) in &one.first {
            let _ = writeln!(text, "    {}  {}", words(key), place(&one.drop, *origin));
        }
        let more = one.rows - one.first.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "    and {} more", grouped(more));
        }
    }
    if !why.happened.is_empty() {
        text += "\nwhat became of it\n";
    }
    for one in &why.happened {
        let drops = if one.drops.is_empty() { String::new() } else { format!("  by {}", one.drops.join(", ")) };
        let _ = writeln!(text, "  epoch {}  {}  {}{drops}", one.epoch, one.changed_at, one.operation);
        let _ = writeln!(text, "    {}", moved_text(&one.operation, &one.moved));
        for because in &one.because {
            let moved = moved_text(&because.operation, &because.moved);
            let _ = writeln!(
                text,
                "    since {} in `{}`: {}  {moved}",
                because.operation,
                because.table,
                words(&because.key)
            );
        }
    }
    if !why.notices.is_empty() {
        let _ = writeln!(text, "\nnotices\n  {}", why.notices.join("\n  "));
    }
    text
}

fn place(drop: &DropName, origin: u64) -> String {
    format!("{} {origin}", if drop.is_binary { "record" } else { "line" })
}

fn words(row: &Cells) -> String {
    let words: Vec<String> = row.iter().map(|(name, value)| format!("{name}={}", cells::text(value, 0))).collect();
    words.join(" ")
}

fn moved_text(operation: &str, moved: &[(String, ArrayRef, ArrayRef)]) -> String {
    let of = |(name, old, new): &(String, ArrayRef, ArrayRef)| match operation {
        "insert" => format!("{name}={}", cells::text(new, 0)),
        "delete" => format!("{name}={}", cells::text(old, 0)),
        _ => format!("{name} {} -> {}", cells::text(old, 0), cells::text(new, 0)),
    };
    moved.iter().map(of).collect::<Vec<String>>().join(if operation == "update" { ", " } else { " " })
}
