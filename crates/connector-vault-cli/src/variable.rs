//! Environment variables: their names, and how files and shells write them (docs/cli.md section 3).

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::failure::{Failure, Result};

/// Whether every program and every shell takes it as the name of a variable: POSIX.1-2024, XBD 3.216.
pub(crate) fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// Whether a program can have a variable of this name: POSIX.1-2024, XBD 8.1.
pub(crate) fn is_possible(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// Whether the variable decides what programs load or run, as far as that is known: one that somebody else
/// names should not.
pub(crate) fn steers_programs(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "PATH",
        "HOME",
        "IFS",
        "ENV",
        "SHELL",
        "SHELLOPTS",
        "BASHOPTS",
        "BASH_ENV",
        "PS4",
        "PROMPT_COMMAND",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "NODE_OPTIONS",
        "NODE_PATH",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "_JAVA_OPTIONS",
        "CLASSPATH",
        "COMSPEC",
    ];
    const STARTS: [&str; 8] = [
        "LD_",
        "DYLD_",
        "BASH_FUNC_",
        "PYTHON",
        "PERL5",
        "RUBY",
        "GIT_",
        "CVAULT_",
    ];
    let name = name.to_ascii_uppercase();
    NAMES.contains(&&*name) || STARTS.iter().any(|start| name.starts_with(start))
}

/// `NAME="value"` on one line, as dotenv files have it. No shell and no parser of such files expands
/// something in it.
///
/// Fails with `invalid_variable_name`, and with `invalid_argument` for a value that no variable can hold.
pub(crate) fn dotenv(name: &str, value: &str) -> Result<Zeroizing<String>> {
    let mut out = assignment(name, value)?;
    out.push('"');
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => {
                if matches!(c, '\\' | '"' | '$' | '`') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out.push('"');
    Ok(out)
}

/// `NAME='value'`, as a POSIX shell reads it. Fails as [`dotenv`] does.
pub(crate) fn shell(name: &str, value: &str) -> Result<Zeroizing<String>> {
    let mut out = assignment(name, value)?;
    out.push('\'');
    for c in value.chars() {
        match c {
            '\'' => out.push_str(r"'\''"),
            c => out.push(c),
        }
    }
    out.push('\'');
    Ok(out)
}

/// `NAME=`, with room for the value however it is quoted, so that no copy of it is left behind.
fn assignment(name: &str, value: &str) -> Result<Zeroizing<String>> {
    if !is_name(name) {
        return Err(Failure::new(
            "invalid_variable_name",
            format!("{name:?} cannot be the name of a variable"),
        )
        .hint(
            "a name has letters, digits and _ of ASCII, and no digit first; take another format",
        ));
    }
    check_value(value)?;
    let mut out = Zeroizing::new(String::with_capacity(name.len() + 4 * value.len() + 3));
    let _ = write!(out, "{name}=");
    Ok(out)
}

/// Fails with `invalid_argument` for a value that the environment of a program cannot hold.
pub(crate) fn check_value(value: &str) -> Result<()> {
    match value.contains('\0') {
        true => Err(Failure::new(
            "invalid_argument",
            "the value has the character U+0000, which no variable can hold",
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("API_KEY2", true),
            ("_a", true),
            ("", false),
            ("2a", false),
            ("a-b", false),
            ("a b", false),
            ("\u{e4}", false),
            ("a=b", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }

    #[test]
    fn values_are_quoted() {
        for (value, of_dotenv, of_shell) in [
            ("a b", r#"A="a b""#, "A='a b'"),
            ("", r#"A="""#, "A=''"),
            ("'\"", r#"A="'\"""#, r#"A=''\''"'"#),
            ("$x`y`\\", r#"A="\$x\`y\`\\""#, "A='$x`y`\\'"),
            ("a\nb\r\n", r#"A="a\nb\r\n""#, "A='a\nb\r\n'"),
        ] {
            let text = |quoted: Result<Zeroizing<String>>| quoted.map(|text| text.to_string());
            assert_eq!(text(dotenv("A", value)).ok().as_deref(), Some(of_dotenv));
            assert_eq!(text(shell("A", value)).ok().as_deref(), Some(of_shell));
        }
        for (name, value, code) in [
            ("a-b", "s3cret", "invalid_variable_name"),
            ("A", "s3cret\0", "invalid_argument"),
        ] {
            let failure = dotenv(name, value).expect_err("it cannot be a variable");
            assert_eq!(failure.code, code);
            assert!(!failure.message.contains("s3cret"), "{failure:?}");
        }
    }
}
