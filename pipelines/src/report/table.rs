//! Columns of text, aligned.

use vardelta_engine::{display::grouped, edge::escape};

/// Rows of cells, printed with their columns aligned.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
}

struct Cell {
    text: String,
    is_number: bool,
}

impl Table {
    /// A table with these column titles.
    pub fn titled<'a>(titles: impl IntoIterator<Item = &'a str>) -> Table {
        let cell = |title: &str| Cell { text: title.to_uppercase(), is_number: false };
        Table { rows: vec![titles.into_iter().map(cell).collect()] }
    }

    /// Begins a row.
    pub fn row(&mut self) -> &mut Table {
        self.rows.push(Vec::new());
        self
    }

    /// Adds a text to the row, aligned to the left.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Table {
        self.cell(escape::line(&text.into()).into_owned(), false)
    }

    /// Adds a number to the row, aligned to the right.
    pub fn number(&mut self, number: u64) -> &mut Table {
        self.cell(grouped(number), true)
    }

    /// Adds a number that is written already, aligned to the right.
    pub fn figure(&mut self, figure: String) -> &mut Table {
        self.cell(figure, true)
    }

    fn cell(&mut self, text: String, is_number: bool) -> &mut Table {
        if let Some(row) = self.rows.last_mut() {
            row.push(Cell { text, is_number });
        }
        self
    }

    /// The table, every line indented by two spaces. A title is where its column's last cell is.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let width = |column: usize| cells(column).map(|cell| cell.text.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let right: Vec<bool> =
            (0..columns).map(|column| cells(column).next_back().is_some_and(|cell| cell.is_number)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                line.push_str("  ");
                match right[column] {
                    true => line.push_str(&format!("{:>width$}", cell.text)),
                    false => line.push_str(&format!("{:<width$}", cell.text)),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::titled(["name", "rows"]);
        table.row().text("a").number(1);
        table.row().text("mutation").number(12_000);
        assert_eq!(table.render(), "  NAME        ROWS\n  a              1\n  mutation  12,000\n");
    }
}
