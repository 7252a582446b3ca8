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

    /// Every path that the file `module` writes, from the root of its crate on: through `crate::`, `super::` or
    /// `self::`, and those that begin with another name, as if `module` had it. Each name in braces has a path of its own.
    pub(crate) fn paths(&self, module: &[&str]) -> Vec<SourcePath> {
        let mut found = Vec::new();
        // The inline modules that are open, with the brace depths at which they opened.
        let mut braces = 0;
        let mut inline: Vec<(usize, &str)> = Vec::new();
        let mut is_handed_on = false;
        let mut index = 0;
        while let Some(text) = self.text(index) {
            let before = index.checked_sub(1).and_then(|before| self.text(before));
            let own = module.iter().chain(inline.iter().map(|(_, name)| name));
            let mut base: Vec<String> = own.map(|name| (*name).to_owned()).collect();
            let mut start = index;
            match text {
                "mod" if self.text(index + 2) == Some("{") => {
                    inline.push((braces, self.text(index + 1).unwrap_or_default()));
                }
                "{" => braces += 1,
                "}" => {
                    braces = braces.saturating_sub(1);
                    inline.pop_if(|(depth, _)| *depth == braces);
                }
                "use" => is_handed_on = matches!(before, Some("pub" | ")")),
                ";" => is_handed_on = false,
                _ => {}
            }
            if !is_word(text) || self.text(index + 1) != Some("::") {
                index += 1;
                continue;
            }
            let is_bare = !matches!(text, "crate" | "super" | "self");
            match text {
                "crate" => base.clear(),
                "super" => _ = base.pop(),
                _ => {}
            }
            if !is_bare {
                start += 2;
            }
            while self.text(start) == Some("super") {
                base.pop();
                start += 2;
            }
            let path = SourcePath {
                line: self.0[index].0,
                names: base,
                is_handed_on,
                is_bare,
            };
            index = self.expand(start, path, &mut found).max(index + 1);
        }
        found
    }

    /// Follows a path from its next name on, into braces; the index behind it.
    fn expand(&self, start: usize, mut path: SourcePath, found: &mut Vec<SourcePath>) -> usize {
        let mut index = start;
        if self.text(index) == Some("{") {
            index += 1;
            loop {
                index = match self.text(index) {
                    None => return index,
                    Some("}") => return index + 1,
                    Some("as") => index + 2,
                    Some(",") => index + 1,
                    Some(_) => self.expand(index, path.clone(), found),
                }
            }
        }
        let Some((line, name)) = self.0.get(index) else {
            return index;
        };
        path.line = *line;
        if name != "self" {
            path.names.push(name.clone());
        }
        let goes_on = |text: &str| is_word(text) || matches!(text, "{" | "*");
        if self.text(index + 1) == Some("::") && self.text(index + 2).is_some_and(goes_on) {
            return self.expand(index + 2, path, found);
        }
        found.push(path);
        index + 1
    }

    /// Every name that follows `root::`, one by one if they stand in braces.
    pub(crate) fn names_below(&self, root: &str) -> Vec<(usize, String)> {
        let below = |path: SourcePath| match path.names.as_slice() {
            [first, name, ..] if first == root => Some((path.line, name.clone())),
            _ => None,
        };
        self.paths(&[]).into_iter().filter_map(below).collect()
    }

    fn text(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(|(_, text)| text.as_str())
    }
}

/// A path in a source.
#[derive(Clone)]
pub(crate) struct SourcePath {
    pub(crate) line: usize,
    pub(crate) names: Vec<String>,
    /// Whether it stands in a `pub use`.
    pub(crate) is_handed_on: bool,
    /// Whether it begins with the name of something else than `crate`, `super` or `self`.
    pub(crate) is_bare: bool,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
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
