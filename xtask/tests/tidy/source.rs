//! Rust source as a list of tokens: enough of a lexer to see paths outside comments and strings.

/// The tokens of a file that are neither comment nor literal text, each with its line.
pub(crate) struct Tokens(Vec<(usize, String)>);

impl Tokens {
    pub(crate) fn of(source: &str) -> Self {
        let mut lexer = Lexer {
            rest: source,
            line: 1,
        };
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next_token() {
            tokens.extend(token);
        }
        Self(tokens)
    }

    /// Every `mod name` and its line.
    pub(crate) fn modules(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0
            .windows(2)
            .filter(|pair| pair[0].1 == "mod")
            .map(|pair| (pair[1].0, pair[1].1.as_str()))
    }

    /// Every name that is used directly below the root of the crate: through `crate::`, or
    /// through as many `super::` as lead there from a file `depth` modules deep.
    pub(crate) fn root_names(&self, depth: usize) -> Vec<(usize, &str)> {
        let mut names = self.names_below("crate");
        // The brace depths at which inline modules opened.
        let (mut braces, mut inline) = (0, Vec::new());
        let mut index = 0;
        while let Some(text) = self.text(index) {
            match text {
                "mod" if self.text(index + 2) == Some("{") => inline.push(braces),
                "{" => braces += 1,
                "}" => {
                    braces -= 1;
                    if inline.last() == Some(&braces) {
                        inline.pop();
                    }
                }
                "super" => {
                    let mut up = 1;
                    while self.text(index + 1) == Some("::")
                        && self.text(index + 2) == Some("super")
                    {
                        up += 1;
                        index += 2;
                    }
                    if up == depth + inline.len() && self.text(index + 1) == Some("::") {
                        self.push_names(index + 2, &mut names);
                    }
                }
                _ => {}
            }
            index += 1;
        }
        names.sort_unstable();
        names
    }

    /// Every name that follows `root::`, one by one if they stand in braces.
    pub(crate) fn names_below(&self, root: &str) -> Vec<(usize, &str)> {
        let mut names = Vec::new();
        for index in 0..self.0.len() {
            if self.text(index) == Some(root) && self.text(index + 1) == Some("::") {
                self.push_names(index + 2, &mut names);
            }
        }
        names
    }

    fn push_names<'a>(&'a self, start: usize, names: &mut Vec<(usize, &'a str)>) {
        if self.text(start) != Some("{") {
            names.extend(self.0.get(start).map(|(line, text)| (*line, text.as_str())));
            return;
        }
        let (mut depth, mut expected) = (0, true);
        for (line, text) in &self.0[start..] {
            match text.as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                "," if depth == 1 => expected = true,
                name if expected => {
                    names.push((*line, name));
                    expected = false;
                }
                _ => {}
            }
        }
    }

    fn text(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(|(_, text)| text.as_str())
    }
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl Lexer<'_> {
    /// The next token, or `Some(None)` for what is none, or `None` at the end.
    fn next_token(&mut self) -> Option<Option<(usize, String)>> {
        let first = self.rest.chars().next()?;
        let line = self.line;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment_len(self.rest));
        } else if let Some(len) = string_len(self.rest) {
            self.skip(len);
        } else if first == '\'' {
            self.skip(char_or_quote_len(self.rest));
        } else if is_word(first) {
            let len = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            return Some(Some((line, self.skip(len).to_owned())));
        } else if self.rest.starts_with("::") {
            return Some(Some((line, self.skip(2).to_owned())));
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            return Some(Some((line, self.skip(first.len_utf8()).to_owned())));
        }
        Some(None)
    }

    fn skip(&mut self, len: usize) -> &str {
        let (skipped, rest) = self.rest.split_at(len);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
        skipped
    }
}

/// Block comments nest.
fn block_comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string literal of any kind, if one starts here.
fn string_len(text: &str) -> Option<usize> {
    let is_start = |byte| matches!(byte, b'"' | b'#');
    let prefix = text.bytes().take(3).position(is_start)?;
    if !["", "b", "c", "r", "br", "cr"].contains(&&text[..prefix]) {
        return None;
    }
    if !text[..prefix].ends_with('r') {
        return text[prefix..]
            .starts_with('"')
            .then(|| prefix + quoted_len(&text[prefix..], '"'));
    }
    let hashes = text[prefix..].chars().take_while(|c| *c == '#').count();
    let body = prefix + hashes;
    // Else a raw name: `r#type`.
    text[body..].starts_with('"').then(|| {
        let end = format!("\"{}", "#".repeat(hashes));
        let len = text[body + 1..].find(&end).map(|len| len + 1 + end.len());
        body + len.unwrap_or(text.len() - body)
    })
}

/// A character literal, or the quote alone of a lifetime.
fn char_or_quote_len(text: &str) -> usize {
    let mut chars = text[1..].chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted_len(text, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// The length of a literal with escapes, from its opening to its closing quote.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
