//! Argon2id (RFC 9106) at the default cost of a key slot, beside Debian's libargon2 and libsodium.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};

use crate::contender::Result;
use crate::durable::Scratch;
use crate::measure::{self, Case};
use crate::ours::Locked;

// argon2id.c derives from the same.
const PASSPHRASE: &[u8] = b"correct horse battery staple";
const SALT: &[u8; 16] = b"0123456789abcdef";

/// Measures and prints a table; says what is missing for the comparison.
pub(crate) fn compare(rounds: usize) -> Result<()> {
    let ours = Locked::new("correct horse battery staple")?;
    let mut cases = vec![
        Case::new("connector-vault, open by passphrase", |_| {
            let (time, opened) = measure::timed(|| ours.unlock());
            opened.map(|_| time)
        }),
        Case::new("argon2 0.6, as it comes", |_| {
            let (time, key) = measure::timed(argon2_crate);
            key.map(|_| time)
        }),
    ];
    let expected = argon2_crate()?;
    let scratch = Scratch::new()?;
    let mut missing = Vec::new();
    for (name, library) in [("libargon2", "argon2"), ("libsodium", "sodium")] {
        match Foreign::start(scratch.path(), library)? {
            Some(mut foreign) => cases.push(Case::new(name, move |_| foreign.derive(&expected))),
            None => missing.push(name),
        }
    }
    measure::side_by_side(rounds, cases)?;
    for name in missing {
        println!("\n{name} is not installed: apt-get install gcc libargon2-dev libsodium-dev");
    }
    Ok(())
}

fn argon2_crate() -> Result<[u8; 32]> {
    let params = Params::new(64 * 1024, 3, 1, Some(32))?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(PASSPHRASE, SALT, &mut key)?;
    Ok(key)
}

/// A C program that derives the key once per line on its input. It stays alive, so that starting
/// it is no part of the time; C, because calling a C library from Rust needs unsafe code.
struct Foreign {
    program: Child,
    answers: BufReader<ChildStdout>,
}

impl Foreign {
    /// `None` if there is no compiler or the library's headers are missing.
    fn start(folder: &Path, library: &str) -> Result<Option<Self>> {
        let (source, program) = (folder.join("argon2id.c"), folder.join(library));
        std::fs::write(&source, include_str!("argon2id.c"))?;
        let compiled = Command::new("cc")
            .arg("-O2")
            .arg(format!("-DUSE_{}", library.to_uppercase()))
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .arg(format!("-l{library}"))
            .output();
        if !compiled.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        let mut program = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = program.stdout.take().ok_or("the output is piped")?;
        Ok(Some(Self {
            program,
            answers: BufReader::new(answers),
        }))
    }

    /// Derives once. The key must be the expected one: the same work was done.
    fn derive(&mut self, expected: &[u8]) -> Result<Duration> {
        let input = self.program.stdin.as_mut().ok_or("the input is piped")?;
        input.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let (nanoseconds, key) = answer.trim().split_once(' ').ok_or("the program stopped")?;
        let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
        if key != expected {
            return Err("the library derives another key".into());
        }
        Ok(Duration::from_nanos(nanoseconds.parse()?))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
