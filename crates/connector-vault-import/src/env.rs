//! `env`: a file of environment variables (dotenv) is one connector.

use zeroize::Zeroizing;

use crate::entry::{Entry, Imported};
use crate::error::{Error, Result, quoted};
use crate::export::Export;
use crate::json::Text;

/// Reads `NAME=VALUE` and `export NAME=VALUE`, one each line. A value is bare, up to ` #` or the end of the line; in
/// single quotes or backticks, literal; or in double quotes, with the escapes `\n`, `\r`, `\t`, `\\`, `\"`, `\$` and
/// `` \` ``. Quoted values may have several lines. Nothing is expanded.
pub(crate) fn read(export: &Export<'_>) -> Result<Imported> {
    let text = export.text()?;
    let id = id_of(export.file_name);
    let mut entry = Entry::new("file", 1, &id).called("", "env");
    let mut imported = Imported::default();
    for variable in variables(text)? {
        let Variable { line, name, value } = variable;
        let Some(value) = value else {
            imported.leave(&id, format!("{name}, which has no value (line {line})"));
            continue;
        };
        if entry.has(name) {
            imported.leave(&id, format!("a value of {name} that line {line} replaces"));
        }
        entry.set(name, &value)?;
    }
    imported.add(entry)?;
    Ok(imported)
}

/// Whether a text begins like such a file.
pub(crate) fn is_like(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| {
        let line = without_export(line);
        line.split_once('=')
            .is_some_and(|(name, _)| is_name(name.trim_end()))
    })
}

/// The id of the connector, from the file's name: `prod` of `prod.env`, `env.production` of `.env.production`.
fn id_of(file_name: Option<&str>) -> String {
    let name = file_name.unwrap_or_default().trim_start_matches('.');
    match name.strip_suffix(".env").unwrap_or(name) {
        "" => "env".to_owned(),
        name => name.to_owned(),
    }
}

/// The variables that a dotenv file sets, in its order, without making a connector of them. If the file sets a
/// variable twice, both stand in the list, and the last one counts.
///
/// Fails with `invalid_export`; the message names the line, and never a value.
///
/// ```
/// let variables = connector_vault_import::dotenv("export A='b c'\nB=2 # two\n")?;
/// let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
/// assert_eq!(variables, [("A", "b c"), ("B", "2")]);
/// # Ok::<(), connector_vault_import::Error>(())
/// ```
pub fn dotenv(text: &str) -> Result<Vec<(&str, Zeroizing<String>)>> {
    let variables = variables(text)?.into_iter();
    Ok(variables
        .filter_map(|variable| Some((variable.name, variable.value?)))
        .collect())
}

pub(crate) struct Variable<'t> {
    /// Its line, from 1.
    pub(crate) line: usize,
    pub(crate) name: &'t str,
    /// `None` for `export NAME` alone.
    pub(crate) value: Option<Text>,
}

/// The variables of a file, in their order.
pub(crate) fn variables(text: &str) -> Result<Vec<Variable<'_>>> {
    let mut rest = text;
    let mut found = Vec::new();
    // The line that `counted` begins with.
    let (mut line, mut counted) = (1, text);
    while !rest.is_empty() {
        let passed = &counted[..counted.len() - rest.len()];
        line += passed.matches('\n').count();
        counted = rest;
        let at = |error: Error| error.within(format_args!("line {line}"));
        let (first, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = first.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = behind;
            continue;
        }
        let exported = without_export(trimmed);
        let Some((name, _)) = exported.split_once('=') else {
            if exported != trimmed && is_name(exported) {
                found.push(Variable {
                    line,
                    name: exported,
                    value: None,
                });
                rest = behind;
                continue;
            }
            return Err(at(Error::invalid("no NAME=VALUE")));
        };
        let name = name.trim_end();
        if !is_name(name) {
            // It may be a piece of a value.
            return Err(at(Error::invalid(
                "the text before = is not a variable's name",
            )));
        }
        // In the whole text, since a quoted value may have several lines.
        let start = rest.find('=').map_or(rest, |equals| &rest[equals + 1..]);
        let (value, behind) = value(start).map_err(|error| at(error.within(quoted(name))))?;
        found.push(Variable {
            line,
            name,
            value: Some(value),
        });
        rest = behind;
    }
    Ok(found)
}

fn without_export(line: &str) -> &str {
    match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    }
}

fn is_name(name: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(in_name)
}

/// The value that `text` begins with, and the text behind its line.
fn value(text: &str) -> Result<(Text, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quote @ ('"' | '\'' | '`')) = text.chars().next() else {
        let (line, behind) = text.split_once('\n').unwrap_or((text, ""));
        return Ok((Text::new(bare(line).to_owned()), behind));
    };
    let inner = &text[1..];
    let (value, behind) = match quote {
        '"' => double_quoted(inner)?,
        quote => {
            let (value, behind) = inner.split_once(quote).ok_or_else(not_closed)?;
            (Text::new(value.to_owned()), behind)
        }
    };
    let (after, behind) = behind.split_once('\n').unwrap_or((behind, ""));
    match after.trim_start() {
        "" => {}
        comment if comment.starts_with('#') => {}
        _ => {
            return Err(Error::invalid(
                "there is more text behind the closing quote",
            ));
        }
    }
    Ok((value, behind))
}

/// A value without quotes, up to a comment.
fn bare(line: &str) -> &str {
    let mut before = '\u{20}';
    let comment = line.char_indices().find(|&(_, c)| {
        let starts = c == '#' && before.is_whitespace();
        before = c;
        starts
    });
    line[..comment.map_or(line.len(), |(at, _)| at)].trim()
}

/// The value up to a closing quote, its escapes resolved, and the text behind the quote.
fn double_quoted(text: &str) -> Result<(Text, &str)> {
    // No longer than the text, so that it never grows and leaves a copy behind.
    let len = text.find('"').map_or(text.len(), |_| closing(text));
    let mut value = Text::new(String::with_capacity(len));
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next().ok_or_else(not_closed)?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('\\' | '"' | '$' | '`') => value.push(c),
                c => {
                    value.push('\\');
                    value.push(c);
                }
            },
            c => value.push(c),
        }
    }
    Err(not_closed())
}

/// Where the closing quote stands; the end of the text, if there is none.
fn closing(text: &str) -> usize {
    let mut is_escaped = false;
    let closing = text.bytes().position(|byte| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    });
    closing.unwrap_or(text.len())
}

fn not_closed() -> Error {
    Error::invalid("the quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, Option<&str>)]) {
        let found = variables(text).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|v| (v.name, v.value.as_ref().map(|value| value.as_str())))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values() {
        check("A=b\n", &[("A", Some("b"))]);
        check(
            "\n# c\n  export A = b c \nexport B\n",
            &[("A", Some("b c")), ("B", None)],
        );
        check(
            "A=b#c # d\nB=#e\nC=",
            &[("A", Some("b#c")), ("B", Some("")), ("C", Some(""))],
        );
        check(
            "A='b\\n \"$c\" # d' # e\nB=`'`\n",
            &[("A", Some("b\\n \"$c\" # d")), ("B", Some("'"))],
        );
        check(
            r#"A="b\n\t\"\\\$c\d" # e"#,
            &[("A", Some("b\n\t\"\\$c\\d"))],
        );
        check(
            "A=\"b\nB=c\n\"\r\nD='e\n\nf'",
            &[("A", Some("b\nB=c\n")), ("D", Some("e\n\nf"))],
        );
        check(
            "A=b\r\nexport\tB=\u{e4}=\r\n",
            &[("A", Some("b")), ("B", Some("\u{e4}="))],
        );
        check(
            "exported=1\na.b-c=2",
            &[("exported", Some("1")), ("a.b-c", Some("2"))],
        );
    }

    #[test]
    fn faults_name_their_line_and_no_value() {
        for (text, line) in [
            ("A=b\ns3cret", "line 2"),
            ("A=b\n\"s3cret\"=c", "line 2"),
            ("A=b\nB='s3cret\n\n", "line 2"),
            ("A=\"s3cret\\", "line 1"),
            ("A='b\nc'\nB='s3cret's3cret", "line 3"),
            ("=s3cret", "line 1"),
            ("1A=s3cret", "line 1"),
        ] {
            let Err(error) = variables(text) else {
                panic!("{text}");
            };
            assert_eq!(error.code(), "invalid_export");
            assert!(error.message().starts_with(line), "{error}");
            assert!(!error.message().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn ids_of_files() {
        for (name, id) in [
            (None, "env"),
            (Some(".env"), "env"),
            (Some("prod.env"), "prod"),
            (Some(".env.production"), "env.production"),
            (Some("secrets.txt"), "secrets.txt"),
        ] {
            assert_eq!(id_of(name), id, "{name:?}");
        }
    }
}
