//! Randomness from the system, and values that it makes (docs/cli.md section 6).

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::output::Output;

/// A generator seeded by the system. Seeding may fail; what it then gives does not.
pub(crate) fn generator() -> Result<StdRng> {
    StdRng::try_from_rng(&mut SysRng).map_err(|error| {
        Failure::new(
            "internal",
            format!("the system's source of randomness failed: {error}"),
        )
    })
}

/// The length of a value where none is given: of letters and digits it has 190 bits.
const LEN: usize = 32;
const LEN_MAX: usize = 4096;
/// A value with fewer bits is warned of: it can be tried out, at the service or by its hash.
const BITS_MIN: f64 = 80.0;
/// A character is chosen by one byte.
const ALPHABET_LEN_MAX: usize = 256;

/// How a random value is made.
#[derive(Debug, PartialEq)]
pub(crate) struct Recipe {
    len: usize,
    alphabet: Vec<char>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            len: LEN,
            alphabet: named("alnum").unwrap_or_default(),
        }
    }
}

impl Recipe {
    /// `LENGTH[:ALPHABET]` of an option. What is wrong with it is told without the text, which may be a value
    /// by mistake.
    pub(crate) fn parse(text: &str, asked_by: &str) -> Result<Self> {
        let (len, alphabet) = match text.split_once(':') {
            Some((len, alphabet)) => (len, Some(alphabet)),
            None => (text, None),
        };
        let len = match len.parse() {
            // `+32` reads as a number too.
            Ok(len @ 1..=LEN_MAX) if !text.starts_with('+') => len,
            _ => {
                return Err(Failure::usage(format!(
                    "the length of {asked_by} is not a number from 1 to {LEN_MAX}"
                )));
            }
        };
        let alphabet = match alphabet {
            None => Self::default().alphabet,
            Some(alphabet) => match named(alphabet) {
                Some(alphabet) => alphabet,
                None => literal(alphabet, asked_by)?,
            },
        };
        Ok(Self { len, alphabet })
    }

    /// A new value. Each character has the same chance at each place.
    pub(crate) fn value(&self, output: Output) -> Result<Zeroizing<String>> {
        if self.bits() < BITS_MIN {
            output.warn(
                "weak_value",
                &format!(
                    "a random value of this length and alphabet has about {:.0} bits, which can be tried out; \
                     {BITS_MIN} are better",
                    self.bits().floor()
                ),
            );
        }
        self.fresh()
    }

    fn fresh(&self) -> Result<Zeroizing<String>> {
        let mut rng = generator()?;
        let mut pool = Zeroizing::new([0; 64]);
        let mut value = Zeroizing::new(String::with_capacity(self.len * 4));
        let mut wanted = self.len;
        while wanted > 0 {
            rng.fill_bytes(&mut *pool);
            let chosen = pool
                .iter()
                .filter_map(|byte| self.alphabet.get(place(*byte, self.alphabet.len())?));
            for c in chosen.take(wanted) {
                value.push(*c);
                wanted -= 1;
            }
        }
        Ok(value)
    }

    fn bits(&self) -> f64 {
        let (len, choices) = (self.len as f64, self.alphabet.len() as f64);
        len * choices.log2()
    }
}

/// Which of `len` characters a random byte chooses; `None`: none of them, since the first ones would be chosen
/// more often.
fn place(byte: u8, len: usize) -> Option<usize> {
    let byte = usize::from(byte);
    let fair = 256 - 256 % len.max(1);
    (byte < fair).then(|| byte % len.max(1))
}

/// An alphabet by its name.
fn named(name: &str) -> Option<Vec<char>> {
    let (upper, lower, digits) = ('A'..='Z', 'a'..='z', '0'..='9');
    let ranges = match name {
        "alnum" => vec![upper, lower, digits],
        "alpha" => vec![upper, lower],
        "upper" => vec![upper],
        "lower" => vec![lower],
        "digits" => vec![digits],
        "hex" => vec![digits, 'a'..='f'],
        "base32" => vec![upper, '2'..='7'],
        "base64" => vec![upper, lower, digits, '+'..='+', '/'..='/'],
        "base64url" => vec![upper, lower, digits, '-'..='-', '_'..='_'],
        "printable" => vec!['!'..='~'],
        _ => return None,
    };
    Some(ranges.into_iter().flatten().collect())
}

/// An alphabet by its characters. A mistyped name often has a character twice.
fn literal(text: &str, asked_by: &str) -> Result<Vec<char>> {
    let alphabet: Vec<char> = text.chars().collect();
    let mut sorted = alphabet.clone();
    sorted.sort_unstable();
    let repeats = sorted.windows(2).any(|pair| pair[0] == pair[1]);
    let fits = (2..=ALPHABET_LEN_MAX).contains(&alphabet.len());
    match fits && !repeats && !text.contains(char::is_control) {
        true => Ok(alphabet),
        false => Err(Failure::usage(format!(
            "the alphabet of {asked_by} is neither the name of one nor 2 to {ALPHABET_LEN_MAX} different characters"
        ))
        .hint("the names are alnum, alpha, upper, lower, digits, hex, base32, base64, base64url, printable")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes() {
        let parse = |text: &str| {
            let recipe = Recipe::parse(text, "--set-random A").ok()?;
            Some((recipe.len, recipe.alphabet.iter().collect::<String>()))
        };
        for (text, len, alphabet) in [
            ("8:digits", 8, "0123456789"),
            ("4096:hex", 4096, "0123456789abcdef"),
            ("1:base32", 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            ("20:ab:=", 20, "ab:="),
            ("20:\u{e4}\u{f6}", 20, "\u{e4}\u{f6}"),
        ] {
            assert_eq!(parse(text), Some((len, alphabet.to_owned())), "{text}");
        }
        assert_eq!(
            parse("24").map(|(len, all)| (len, all.len())),
            Some((24, 62))
        );
        for (name, len) in [
            ("alnum", 62),
            ("base64", 64),
            ("base64url", 64),
            ("printable", 94),
            ("alpha", 52),
        ] {
            assert_eq!(
                parse(&format!("9:{name}")).map(|found| found.1.len()),
                Some(len)
            );
        }
        for wrong in [
            "", "0", "4097", "-1", "+1", "1.5", "s3cret", ":hex", "8:", "8:a", "8:aa", "8:alnumm",
            "8:a\tb",
        ] {
            let failure = Recipe::parse(wrong, "--set-random A").expect_err("it is wrong");
            assert_eq!(failure.code, "usage", "{wrong}");
            assert!(!failure.message.contains("s3cret"), "{failure:?}");
        }
    }

    /// Over all bytes, each character is chosen equally often.
    #[test]
    fn the_choice_is_fair() {
        for len in 1..=256 {
            let mut times = vec![0; len];
            for byte in 0..=255 {
                if let Some(place) = place(byte, len) {
                    times[place] += 1;
                }
            }
            assert!(times.iter().all(|count| *count == 256 / len), "{len}");
        }
    }

    #[test]
    fn values_have_their_length_and_alphabet() {
        for text in [
            "1:ab",
            "64:ab",
            "65:printable",
            "300:\u{e4}\u{f6}\u{fc}",
            "4096",
        ] {
            let recipe = Recipe::parse(text, "--set-random A").expect("it is right");
            let value = recipe.fresh().expect("the system is random");
            assert_eq!(value.chars().count(), recipe.len, "{text}");
            assert!(
                value.chars().all(|c| recipe.alphabet.contains(&c)),
                "{text}"
            );
        }
    }
}
