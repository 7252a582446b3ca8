//! "Did you mean": hints for ids and names that are nearly right.

use crate::error::quoted;
use crate::unicode::{lowercase, push_nfc};

/// Longest text that is compared by edits, in characters: the cost of 100,000 connectors stays
/// linear, and longer ids are not typed by hand.
const EDIT_LEN_MAX: usize = 64;

/// How alike two texts are; lower is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Name,
    FoldedId,
    FoldedName,
    Edits(usize),
}

/// A hint for an unknown connector: another whose id or name is close. Linear in the number of
/// candidates, which are pairs of id and name.
pub(crate) fn near_miss<'c>(
    id: &str,
    candidates: impl Iterator<Item = (&'c str, &'c str)>,
) -> Option<String> {
    let wanted = Wanted::new(id);
    let mut best: Option<(Likeness, &str, &str)> = None;
    for (candidate, name) in candidates {
        let limit = best.map(|(likeness, ..)| likeness);
        let Some(likeness) = wanted.likeness(candidate, name) else {
            continue;
        };
        if limit.is_none_or(|limit| likeness < limit) {
            best = Some((likeness, candidate, name));
        }
        if likeness == Likeness::Name {
            break;
        }
    }
    best.map(|(likeness, candidate, name)| match likeness {
        Likeness::Name | Likeness::FoldedName => {
            format!(
                "the connector named {} has the id {}",
                quoted(name),
                quoted(candidate)
            )
        }
        Likeness::FoldedId | Likeness::Edits(_) => format!("did you mean {}?", quoted(candidate)),
    })
}

/// Case, Unicode form and spaces around it do not count.
pub(super) fn fold(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Lower case may decompose again.
    let (mut normal, mut folded) = (String::new(), String::new());
    push_nfc(text, &mut normal);
    push_nfc(&lowercase(&normal), &mut folded);
    folded
}

struct Wanted<'w> {
    id: &'w str,
    folded: String,
    chars: Vec<char>,
    edits_max: usize,
}

impl<'w> Wanted<'w> {
    fn new(id: &'w str) -> Self {
        let folded = fold(id);
        let chars: Vec<char> = folded.chars().take(EDIT_LEN_MAX + 1).collect();
        let edits_max = match chars.len() {
            0..=3 => 0,
            4..=7 => 1,
            8..=EDIT_LEN_MAX => 2,
            _ => 0,
        };
        Self {
            id,
            folded,
            chars,
            edits_max,
        }
    }

    fn likeness(&self, id: &str, name: &str) -> Option<Likeness> {
        if name == self.id {
            return Some(Likeness::Name);
        }
        if self.folds_to(id) {
            return Some(Likeness::FoldedId);
        }
        if self.folds_to(name) {
            return Some(Likeness::FoldedName);
        }
        [id, name]
            .iter()
            .filter_map(|text| self.edits(text))
            .min()
            .map(Likeness::Edits)
    }

    fn folds_to(&self, text: &str) -> bool {
        let text = text.trim();
        if text.is_ascii() {
            return text.eq_ignore_ascii_case(&self.folded);
        }
        // Neither case nor form changes the length by more than this factor.
        let len = self.folded.len();
        (len / 4..=len * 4).contains(&text.len()) && fold(text) == self.folded
    }

    /// The number of edits between the two, if it is small.
    fn edits(&self, text: &str) -> Option<usize> {
        let (len, max) = (self.chars.len(), self.edits_max);
        // Cheap first: most candidates differ in length. A character has up to 4 bytes.
        if max == 0 || text.len() + max < len || text.len() > 4 * (len + max) {
            return None;
        }
        let other: Vec<char> = lowercase(text.trim()).chars().take(len + max + 1).collect();
        (other.len().abs_diff(len) <= max)
            .then(|| edit_distance(&self.chars, &other, max))
            .flatten()
    }
}

/// Levenshtein distance with transpositions of neighbours, if it is at most `max`.
fn edit_distance(a: &[char], b: &[char], max: usize) -> Option<usize> {
    // Ids of one vault often differ only in their last characters.
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let mut before = vec![usize::MAX; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = last.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row[j] = best;
        }
        // Every later row derives from these two.
        if row.iter().chain(&last).all(|&edits| edits > max) {
            return None;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().filter(|&edits| edits <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, candidates: &[(&str, &str)], expected: Option<&str>) {
        let hint = near_miss(id, candidates.iter().copied());
        assert_eq!(hint.as_deref(), expected, "{id}");
    }

    #[test]
    fn hints() {
        let known = [
            ("twitterConnectorId", "Twitter"),
            ("oauthConnectorId", "OAuth \u{e9}"),
        ];
        check(
            "TwitterConnectorID",
            &known,
            Some("did you mean \"twitterConnectorId\"?"),
        );
        check(
            "twiterConnectorId",
            &known,
            Some("did you mean \"twitterConnectorId\"?"),
        );
        check(
            "twitterConnectroId",
            &known,
            Some("did you mean \"twitterConnectorId\"?"),
        );
        check(
            " oauthConnectorId ",
            &known,
            Some("did you mean \"oauthConnectorId\"?"),
        );
        let named = "the connector named \"Twitter\" has the id \"twitterConnectorId\"";
        check("Twitter", &known, Some(named));
        check("twitter", &known, Some(named));
        check(
            "oauth e\u{301}",
            &known,
            Some("the connector named \"OAuth \u{e9}\" has the id \"oauthConnectorId\""),
        );
        check("slack", &known, None);
        check("", &known, None);
        check("ab", &[("ac", "ad")], None);
    }

    #[test]
    fn a_closer_one_wins() {
        check(
            "connector-1",
            &[
                ("connector-22", "x"),
                ("Connector-1", "y"),
                ("connector-2", "z"),
            ],
            Some("did you mean \"Connector-1\"?"),
        );
    }

    #[test]
    fn many_candidates() {
        let ids: Vec<String> = (0..100_000).map(|n| format!("connector-{n:06}")).collect();
        let candidates = ids.iter().map(|id| (id.as_str(), id.as_str()));
        assert!(near_miss("connector-0000012", candidates).is_some());
    }
}
