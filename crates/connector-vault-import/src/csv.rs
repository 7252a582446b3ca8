//! `csv`: a table with a header; each row is a connector, each column a property.

use std::collections::HashSet;

use crate::entry::{Entry, Imported};
use crate::error::{Error, Result, quoted};
use crate::export::Export;

/// Columns that are no properties, in lower case.
const ID: &str = "id";
const NAME: &str = "name";
const TYPE: &str = "type";

/// Reads a table that is separated by commas, semicolons or tabs (RFC 4180). The columns `id`, `name` and `type`, in any
/// case, are the connector's; without an `id` the name is the id. An empty cell is no property.
pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let text = export.text()?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| not_csv(text, &error))?
        .clone();
    let columns = Columns::of(&header)?;
    let mut imported = Imported::default();
    let mut row = csv::StringRecord::new();
    let mut number = 0;
    while reader
        .read_record(&mut row)
        .map_err(|error| not_csv(text, &error))?
    {
        number += 1;
        let cell = |column: Option<usize>| {
            column
                .and_then(|column| row.get(column))
                .unwrap_or_default()
        };
        let line = row.position().map_or(number, |at| line(text, at));
        let name = cell(columns.name);
        let id = match columns.id {
            Some(_) => cell(columns.id),
            None => name,
        };
        let type_name = match columns.type_name {
            Some(_) => cell(columns.type_name),
            None => "csv",
        };
        let mut entry = Entry::new("line", line, id).called(name, type_name);
        for (column, value) in row.iter().enumerate() {
            if !columns.is_own(column) && !value.is_empty() {
                entry.set(header.get(column).unwrap_or_default(), value)?;
            }
        }
        imported.add(entry)?;
    }
    Ok(imported)
}

/// Whether a text begins like such a table.
pub(crate) fn is_like(text: &str) -> bool {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let header = reader.headers();
    header.is_ok_and(|header| header.len() > 1 && Columns::of(header).is_ok())
}

/// The one of the usual delimiters that gives the header a column for the id.
fn delimiter(text: &str) -> u8 {
    let usual = [b',', b';', b'\t'];
    let has_id = |delimiter: &u8| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(*delimiter)
            .from_reader(text.as_bytes());
        reader.headers().is_ok_and(|header| {
            Columns::find(header, ID)
                .or(Columns::find(header, NAME))
                .is_some()
        })
    };
    usual.into_iter().find(has_id).unwrap_or(b',')
}

struct Columns {
    id: Option<usize>,
    name: Option<usize>,
    type_name: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self> {
        let mut seen = HashSet::with_capacity(header.len());
        if let Some(twice) = header
            .iter()
            .find(|name| !seen.insert(own(name).unwrap_or(name)))
        {
            return Err(Error::invalid(format!(
                "the column {} stands twice",
                quoted(twice)
            )));
        }
        let columns = Self {
            id: Self::find(header, ID),
            name: Self::find(header, NAME),
            type_name: Self::find(header, TYPE),
        };
        match (columns.id, columns.name) {
            (None, None) => Err(Error::invalid("the table has neither a column id nor a column name")
                .with_hint("the first line names the columns: id, name and type are the connector's, the others are properties")),
            _ => Ok(columns),
        }
    }

    fn find(header: &csv::StringRecord, column: &str) -> Option<usize> {
        header.iter().position(|name| own(name) == Some(column))
    }

    fn is_own(&self, column: usize) -> bool {
        [self.id, self.name, self.type_name].contains(&Some(column))
    }
}

/// The column of the connector itself that a header names.
fn own(name: &str) -> Option<&'static str> {
    [ID, NAME, TYPE]
        .into_iter()
        .find(|own| name.trim().eq_ignore_ascii_case(own))
}

/// Without a piece of the table, which may be a secret.
fn not_csv(text: &str, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, |at| line(text, at));
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("the row has {len} cells, and the header {expected_len}")
        }
        _ => "the row is not CSV".to_owned(),
    };
    Error::invalid(message).within(format_args!("line {line}"))
}

/// The line of a row, from 1: empty ones before it count.
fn line(text: &str, at: &csv::Position) -> usize {
    let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let ahead = text.as_bytes().get(start..).unwrap_or_default();
    let empty = ahead
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let line = usize::try_from(at.line()).unwrap_or(usize::MAX);
    line.saturating_add(empty.filter(|byte| **byte == b'\n').count())
}
