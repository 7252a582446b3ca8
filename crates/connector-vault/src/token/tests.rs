//! Tests of tokens: hosts, limits and laws. The grammar itself stands in tests/vectors/token.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

use proptest::prelude::*;

use super::*;
use crate::error::{Code, Error};

fn expand(text: &str, host: &mut dyn Tokens) -> Result<String> {
    let template = Template::parse(text)?;
    Expander::new(host)
        .expand(&template)
        .map(|text| text.to_string())
}

fn list(text: &str) -> Vec<(String, bool)> {
    let mut infos = Infos::default();
    Template::parse(text).unwrap().list(&mut infos);
    let list = infos.into_list();
    list.into_iter()
        .map(|info| (info.key, info.required))
        .collect()
}

#[test]
fn lists_what_is_needed() {
    let expected = |list: &[(&str, bool)]| -> Vec<(String, bool)> {
        list.iter()
            .map(|(key, required)| ((*key).to_owned(), *required))
            .collect()
    };
    assert_eq!(list("[A] [A] b"), expected(&[("A", true)]));
    assert_eq!(list("[A=1] [A]"), expected(&[("A", true)]));
    assert_eq!(list("[A=[B]]"), expected(&[("A", false), ("B", false)]));
    assert_eq!(list("[A(x=[B])]"), expected(&[("B", true), ("A", true)]));
    assert_eq!(
        list("[N:A(x=1, y='a b')]"),
        expected(&[("N:A(x=1,y=\"a b\")", true)])
    );
    assert_eq!(
        list("[A(x=1)=2] [A]"),
        expected(&[("A(x=1)", false), ("A", true)])
    );
}

#[test]
fn debug_hides_parameters() {
    let mut infos = Infos::default();
    Template::parse("[A(x='hidden')]").unwrap().list(&mut infos);
    let mut seen = String::new();
    let mut host = TokenFn(|token: &TokenRef<'_>| {
        seen = format!("{token:?}");
        Ok(None)
    });
    let error = expand("[A(x='hidden')]", &mut host).unwrap_err();
    for text in [
        format!("{:?}", infos.into_list()),
        format!("{error:?}"),
        seen,
    ] {
        assert!(text.contains('A') && !text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_failing_host_ends_the_action() {
    let mut host = TokenFn(|_: &TokenRef<'_>| {
        Err(Error::new(Code::InvalidArgument, "no connection").with_hint("try again"))
    });
    let error = expand("[N:A]", &mut host).unwrap_err();
    assert_eq!(error.code(), Code::TokenSourceFailed);
    assert_eq!(error.message(), "the token [N:A]: no connection");
    assert_eq!(error.hint(), Some("try again"));
}

#[test]
fn parameters_reach_the_host() {
    let mut host = TokenFn(|token: &TokenRef<'_>| {
        assert_eq!(token.namespace(), Some("N"));
        let params: Vec<_> = token.params().collect();
        assert_eq!(params, [("a", "]|,"), ("b", "x & y"), ("a", "")]);
        Secret::new("v").map(Some)
    });
    let text = "[N:A(a=']|,', b = x &#38; y ,a=\"\")]";
    assert_eq!(expand(text, &mut host).unwrap(), "v");
}

#[test]
fn tokens_are_found_where_they_are() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        let found = find_tokens(text);
        let found: Vec<_> = found
            .iter()
            .map(|span| (&text[span.range.clone()], span.name.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    };
    check("", &[]);
    check("[0] [a:] ]", &[]);
    check("[a][b:c]", &[("[a]", "a"), ("[b:c]", "b:c")]);
    check("\u{fc} [[a=[b]|<{0}>] [c", &[("[a=[b]|<{0}>]", "a")]);
    check("[a|no placeholder] [b]", &[]);
    let name = "[Secrets:Key(env='p]r', x=[y])=d]";
    check(&format!("\"{name}\""), &[(name, "Secrets:Key")]);
}

/// Each of these would take hours if any part of a text were read once more for each bracket.
#[test]
fn hostile_texts_end() {
    let mut none = BTreeMap::new();
    for unit in [
        "[",
        "[a",
        "[a(",
        "[a(b=\"",
        "[a(b=\u{201e}",
        "[[a]",
        "&",
        "&#91",
        "]",
        "|",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        let _ = expand(&text, &mut none);
        let _ = find_tokens(&text);
    }
    for unit in [
        "[a=",
        "[a(b=\"",
        "[a(b=",
        "[a(b=\u{201c}",
        "[a(b=\u{ab}",
        "[a=[b][c]",
    ] {
        // As deep as it may be, never closed, again and again.
        let text = format!("{}]]", unit.repeat(15)).repeat(10_000);
        let _ = expand(&text, &mut none);
        let _ = find_tokens(&text);
    }
    let text = format!("{}{}", "[a=".repeat(15), "[b] ".repeat(1 << 18));
    let mut tokens = BTreeMap::from([("b".to_owned(), Secret::new("1").unwrap())]);
    assert!(expand(&text, &mut tokens).unwrap().ends_with("1 1 "));
}

proptest! {
    #[test]
    fn no_text_panics(text in r#"([\[\]()=|&,"' “”„‘’‚«»:a\PC]|&#(91|93|124|38|34|39);|&quot;|\{0\}){0,40}"#) {
        let _ = list_or_none(&text);
        let _ = find_tokens(&text);
        let mut host = TokenFn(|_: &TokenRef<'_>| Secret::new("[a]").map(Some));
        let _ = expand(&text, &mut host);
    }

    #[test]
    fn text_without_brackets_and_ampersands_stays(text in "[^\\[&]*") {
        prop_assert_eq!(expand(&text, &mut BTreeMap::new()).unwrap(), text);
    }

    #[test]
    fn a_value_stays_as_it_is(value in any::<String>()) {
        let secret = Secret::new(value.clone()).unwrap();
        let mut tokens = BTreeMap::from([("A".to_owned(), secret)]);
        prop_assert_eq!(expand("<[A]>", &mut tokens).unwrap(), format!("<{value}>"));
        prop_assert_eq!(expand("[B=[A]]", &mut tokens).unwrap(), value.clone());
        prop_assert_eq!(expand("[A|{0}]", &mut tokens).unwrap(), value);
    }

    #[test]
    fn every_text_can_be_written(text in any::<String>()) {
        let written = text.replace('&', "&#38;").replace('[', "&#91;");
        prop_assert_eq!(expand(&written, &mut BTreeMap::new()).unwrap(), text);
    }

    #[test]
    fn keys_tell_parameters_apart(a in any::<Vec<(u8, String)>>(), b in any::<Vec<(u8, String)>>()) {
        let key = |params: &[(u8, String)]| {
            let names: Vec<_> = params.iter().map(|(n, _)| format!("p{n}")).collect();
            let params = names.iter().zip(params).map(|(n, (_, v))| (n.as_str(), v.as_str()));
            key_with_params("A", params)
        };
        prop_assert_eq!(key(&a) == key(&b), a == b);
    }
}

fn list_or_none(text: &str) -> Option<Vec<TokenInfo>> {
    let mut infos = Infos::default();
    Template::parse(text).ok()?.list(&mut infos);
    Some(infos.into_list())
}
