//! Aligned tables for people.

use unicode_width::UnicodeWidthStr;

use crate::output::{BOLD, styled};
use crate::terminal::printable;

/// Columns with a head, aligned by the width that characters have on a terminal.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    columns: usize,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
            columns: N,
        }
    }

    /// Adds a row; its texts may come from anywhere.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        debug_assert_eq!(N, self.columns);
        self.rows
            .push(cells.map(|cell| printable(cell).into_owned()).to_vec());
    }

    /// Leaves out a column that says nothing in any row.
    pub(crate) fn drop_empty_column(&mut self, column: usize) {
        let empty = self.rows[1..].iter().all(|row| row[column].is_empty());
        if empty {
            for row in &mut self.rows {
                row.remove(column);
            }
            self.columns -= 1;
        }
    }

    pub(crate) fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.columns)
            .map(|column| self.rows.iter().map(|row| row[column].width()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut out = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(width - cell.width() + 2));
            }
            let line = line.trim_end();
            match index {
                0 => out.push_str(&styled(BOLD, line)),
                _ => out.push_str(line),
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["ID", "NOTE", "NAME"]);
        table.row(["日本", "", "x"]);
        table.row(["a", "", "\u{1b}"]);
        table.drop_empty_column(1);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "ID    NAME\n日本  x\na     \\u{1b}\n");
    }
}
