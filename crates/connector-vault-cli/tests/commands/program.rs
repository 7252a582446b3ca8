//! The program itself: help, usage, the tour, the terminal.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::support::{Sandbox, cvault, folder, ran, twitter};

#[test]
fn usage_errors() {
    let dir = folder();
    for args in [
        ["bogus", "--json"],
        ["list", "--json"],
        ["--json", "--bogus"],
    ] {
        assert_eq!(
            ran(&mut cvault(dir.path(), args)).error(2)["code"],
            "usage",
            "{args:?}"
        );
    }
    let text = ran(&mut cvault(dir.path(), ["show", "v"]));
    assert_eq!((text.code, text.stdout.as_str()), (2, ""));
    assert!(text.stderr.starts_with("error: "), "{text:?}");
    let nothing = ran(&mut cvault(dir.path(), []));
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
}

#[test]
fn help_teaches() {
    let dir = folder();
    let help = ran(&mut cvault(dir.path(), ["--help"]));
    for part in ["Example:", "CVAULT_PASSPHRASE_FILE", "Exit codes:"] {
        assert!(help.text().contains(part), "{part}");
    }
    let commands: Vec<_> = help
        .text()
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let help = ran(&mut cvault(dir.path(), [command, "--help"]));
        assert!(help.text().contains("Example:\n  cvault "), "{command}");
        let paragraphs = help.text().split("\n\n").take(2).last().unwrap_or_default();
        assert!(paragraphs.len() > 60, "{command}: {paragraphs}");
    }
}

#[test]
fn demo_needs_nothing() {
    let dir = folder();
    let demo = ran(cvault(dir.path(), ["demo"])
        .env_clear()
        .env("TMPDIR", dir.path()));
    for part in [
        "Connectors.Update",
        "~ APIKey  ****** -> ******",
        "+ Timeout = ******",
        "Sound",
    ] {
        assert!(demo.text().contains(part), "{part}");
    }
    assert_eq!(demo.stderr, "");
    assert!(
        !demo.stdout.contains("\u{1b}"),
        "no colours without a terminal"
    );
    for secret in [
        "old_api_key",
        "old_api_secret",
        "_access_token",
        "_refresh_token",
    ] {
        assert!(!demo.stdout.contains(secret), "{secret}");
    }
    let demo = ran(cvault(dir.path(), ["demo", "--json"]).env("TMPDIR", dir.path())).json();
    assert_eq!(demo["steps"][1]["result"]["status"], "updated");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn completions() {
    let dir = folder();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ran(&mut cvault(dir.path(), ["completions", shell]));
        assert!(script.text().contains("cvault"), "{shell}");
    }
    assert_eq!(ran(&mut cvault(dir.path(), ["completions", "csh"])).code, 2);
}

#[test]
fn names_cannot_play_with_the_terminal() {
    let sandbox = Sandbox::new();
    let properties = connector_vault::Properties::from_json(r#"{"a\u001b[2J": "v\u001b[2J"}"#);
    sandbox.add("x\u{202e}y", "N\u{2066}", "T", &properties.unwrap());
    for args in [["list", "v.cvault"], ["log", "v.cvault"]] {
        check_safe(sandbox.run(args).text());
    }
    check_safe(
        sandbox
            .run(["show", "v.cvault", "x\u{202e}y", "--reveal"])
            .text(),
    );
    check_safe(sandbox.run(["history", "v.cvault", "x\u{202e}y"]).text());
    check_safe(&sandbox.run(["show", "v.cvault", "x\u{202e}z"]).stderr);
}

#[track_caller]
fn check_safe(text: &str) {
    let unsafe_char =
        |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{206f}').contains(&c));
    assert!(!text.contains(unsafe_char), "{text:?}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let sandbox = twitter();
    let mut child = sandbox
        .cvault(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(stderr, "");
}

#[cfg(unix)]
#[test]
fn arguments_of_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let sandbox = twitter();
    let odd = OsStr::from_bytes(b"v\xff.cvault");
    std::fs::rename(&sandbox.vault, sandbox.dir.path().join(odd)).unwrap();
    ran(sandbox.cvault(["list", "--json"]).arg(odd)).json();
    let out = OsStr::from_bytes(b"out\xff");
    for args in [["export", "--reveal"], ["identity", "new"]] {
        let mut command = sandbox.cvault(args);
        command.arg("--json").arg("--out");
        command.arg(out);
        if args[0] == "export" {
            command.arg(odd);
        }
        ran(&mut command).json();
        std::fs::remove_file(sandbox.dir.path().join(out)).unwrap();
    }
    let init = sandbox
        .cvault(["init", "--identity", "--json"])
        .arg(out)
        .output();
    assert!(init.unwrap().status.success());
    for args in [["show", "--json"], ["run", "--json"]] {
        let refused = ran(sandbox.cvault(args).args([odd, out]));
        assert!(
            refused.code > 0 && !refused.stderr.contains("panicked"),
            "{refused:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let sandbox = twitter();
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    for args in [&["list", "v.cvault"][..], &["list", "v.cvault", "--json"]] {
        let mut command = sandbox.cvault([]);
        let output = command.args(args).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("standard output"), "{stderr}");
    }
    let mut command = sandbox.cvault(["list", "gone"]);
    assert_eq!(
        command.stderr(full()).output().unwrap().status.code(),
        Some(1)
    );
}
