//! What happened, as lines and as comma-separated values.

use super::{Happened, Histories, name, others};

/// A heading per epoch and table, then a line per row: `+` inserted, `~` updated, `-` deleted. With `whole` an updated row also
/// shows the columns that did not change.
pub fn text(histories: &Histories, happened: &[Happened], whole: bool) -> String {
    let mut text = String::new();
    let mut heading = None;
    for row in happened {
        if heading != Some((row.epoch, row.table)) {
            heading = Some((row.epoch, row.table));
            let (table, _) = &histories.tables[row.table];
            let drops = if row.drops.is_empty() { String::new() } else { format!(" ({})", row.drops.join(", ")) };
            let between = if text.is_empty() { "" } else { "\n" };
            text += &format!("{between}epoch {}, {}{drops}: {}\n", row.epoch, row.changed_at, table.name);
        }
        text += &format!("  {}\n", line(histories, row, whole));
    }
    text
}

fn line(histories: &Histories, row: &Happened, whole: bool) -> String {
    let (table, _) = &histories.tables[row.table];
    let pairs = |pick: fn(&(super::Cell, super::Cell)) -> &super::Cell| {
        let key = table.key.iter().zip(&row.key).map(|(at, cell)| (*at, cell));
        let mut all: Vec<_> = key.chain(others(table).zip(row.values.iter().map(pick))).collect();
        all.sort_by_key(|(at, _)| *at);
        all.iter().map(|(at, cell)| format!("{}={}", name(table, *at), cell.text)).collect::<Vec<_>>().join(" ")
    };
    match row.operation.as_str() {
        "insert" => format!("+ {}", pairs(|pair| &pair.1)),
        "delete" => format!("- {}", pairs(|pair| &pair.0)),
        _ => {
            let key = table.key.iter().zip(&row.key).map(|(at, cell)| format!("{}={}", name(table, *at), cell.text));
            let moved = others(table).zip(&row.values).filter(|(_, (old, new))| old != new);
            let moves = moved.map(|(at, (old, new))| format!("{} {} -> {}", name(table, at), old.text, new.text));
            let stayed = others(table).zip(&row.values).filter(|(_, (old, new))| whole && old == new);
            let stays = stayed.map(|(at, (_, new))| format!("{}={}", name(table, at), new.text));
            let stays: Vec<String> = stays.collect();
            let stays = if stays.is_empty() { String::new() } else { format!(" ({})", stays.join(" ")) };
            format!("~ {} {}{stays}", key.collect::<Vec<_>>().join(" "), moves.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Comma-separated values (RFC 4180) of one table: its history's columns.
pub fn csv(histories: &Histories, happened: &[Happened]) -> String {
    let Some((table, _)) = histories.tables.first() else { return String::new() };
    let mut heads = vec!["epoch".to_owned(), "operation".to_owned()];
    heads.extend(table.key.iter().map(|at| name(table, *at)));
    heads.extend(others(table).flat_map(|at| ["old", "new"].map(|side| format!("{side}_{}", name(table, at)))));
    heads.extend(["drops".to_owned(), "changed_at".to_owned()]);
    let mut text = record(heads.iter().map(String::as_str));
    for row in happened {
        let plain = |cell: &super::Cell| match &cell.json {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        let mut values = vec![row.epoch.to_string(), row.operation.clone()];
        values.extend(row.key.iter().map(plain));
        values.extend(row.values.iter().flat_map(|(old, new)| [plain(old), plain(new)]));
        values.extend([row.drops.join(";"), row.changed_at.clone()]);
        text += &record(values.iter().map(String::as_str));
    }
    text
}

fn record<'a>(values: impl Iterator<Item = &'a str>) -> String {
    values.map(value).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A value. One that a spreadsheet would take for a formula, and is no number, gets an apostrophe in front.
fn value(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_are_quoted_and_no_formula() {
        assert_eq!(value("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(value("=1+1"), "'=1+1");
        assert_eq!(value("-1.5"), "-1.5");
        assert_eq!(value("chr1"), "chr1");
    }
}
