//! A program with values in its environment: `exec`.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use connector_vault::Properties;
use serde_json::{Value, json};

use crate::support::{Sandbox, ran, ran_with};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let properties =
        json!({"Key": "s3cret-1", "User": "", "a/b%": "s3cret 2\n'\"$HOME"}).to_string();
    sandbox.add("x", "N", "T", &Properties::from_json(&properties).unwrap());
    let properties = json!({"Key": "s3cret-3"}).to_string();
    sandbox.add(
        "team/x",
        "N",
        "T",
        &Properties::from_json(&properties).unwrap(),
    );
    sandbox
}

/// `cvault exec v.cvault ARGS`, with the test's PATH.
fn exec(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut exec = sandbox.cvault(["exec", "v.cvault"]);
    exec.args(args)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    exec
}

/// The environment that a program gets, by name.
fn environment(mut exec: Command) -> Value {
    let ran = ran(exec.args(["--", "env", "-0"]));
    assert_eq!(ran.stderr, "", "{ran:?}");
    let variables = ran.text().split_terminator('\0').map(|variable| {
        let (name, value) = variable.split_once('=').unwrap();
        (name.to_owned(), Value::from(value))
    });
    Value::Object(variables.collect())
}

#[test]
fn exec_sets_variables() {
    let sandbox = sandbox();
    let mut exec = exec(
        &sandbox,
        &[
            "--env",
            "A=x/Key",
            "--env",
            "EMPTY=x/User",
            "--env",
            "ODD=x/a%2Fb%25",
            "--env",
            "B=team/x/Key",
            "--env",
            "C=team%2Fx/Key",
        ],
    );
    exec.env("A", "before").env("OTHER", "stays");
    let found = environment(exec);
    assert_eq!(found["A"], "s3cret-1");
    assert_eq!(found["EMPTY"], "");
    assert_eq!(found["ODD"], "s3cret 2\n'\"$HOME");
    assert_eq!([&found["B"], &found["C"]], ["s3cret-3", "s3cret-3"]);
    assert_eq!(found["OTHER"], "stays");
}

#[test]
fn exec_sets_a_variable_for_each_property() {
    let sandbox = sandbox();
    let mut all = exec(
        &sandbox,
        &[
            "--all",
            "x",
            "--prefix",
            "TW_",
            "--env",
            "TW_User=team/x/Key",
        ],
    );
    all.env("TW_Key", "cvault:no/such");
    let found = environment(all);
    assert_eq!(found["TW_Key"], "s3cret-1");
    assert_eq!(found["TW_User"], "s3cret-3", "--env goes before --all");
    assert_eq!(found["TW_a/b%"], "s3cret 2\n'\"$HOME");
    assert_eq!(
        environment(exec(&sandbox, &["--all", "x"]))["Key"],
        "s3cret-1"
    );
}

/// Whoever may write a connector shall not decide what runs where its values are used.
#[test]
fn a_name_of_a_property_does_not_steer_the_program() {
    for name in [
        "PATH",
        "LD_PRELOAD",
        "NODE_OPTIONS",
        "CVAULT_PASSPHRASE",
        "a=b",
    ] {
        let sandbox = Sandbox::new();
        let properties = json!({name: "s3cret"}).to_string();
        sandbox.add("x", "N", "T", &Properties::from_json(&properties).unwrap());
        let refused = ran(exec(&sandbox, &["--json", "--all", "x"]).args(["--", "env"]));
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(
            refused.error(125)["code"],
            "invalid_variable_name",
            "{name}"
        );
        if name != "a=b" {
            let found = environment(exec(&sandbox, &["--all", "x", "--prefix", "X_"]));
            assert_eq!(found[format!("X_{name}")], "s3cret");
        }
        let given = environment(exec(&sandbox, &["--env", &format!("PASS=x/{name}")]));
        assert_eq!(given["PASS"], "s3cret");
    }
}

#[test]
fn exec_replaces_references_in_the_environment() {
    let sandbox = sandbox();
    let mut exec_them = exec(&sandbox, &[]);
    exec_them
        .env("A", "cvault:x/Key")
        .env("B", "cvault:team%2Fx/Key")
        .env("IMAGE", "cvault:1.2")
        .env("TEXT", "see cvault:x/Key");
    let found = environment(exec_them);
    assert_eq!([&found["A"], &found["B"]], ["s3cret-1", "s3cret-3"]);
    assert_eq!(
        [&found["IMAGE"], &found["TEXT"]],
        ["cvault:1.2", "see cvault:x/Key"]
    );

    for (reference, exit_code) in [
        ("cvault:x/hunter2", "property_not_found"),
        ("cvault:hunter2/Key", "connector_not_found"),
        ("cvault:x/hunter2%", "usage"),
        ("cvault:/hunter2", "usage"),
    ] {
        let mut refused = exec(&sandbox, &["--json", "--", "env"]);
        let refused = ran(refused.env("API_KEY", reference));
        let error = refused.error(125);
        assert_eq!(error["code"], exit_code, "{reference}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("the variable API_KEY"), "{message}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn exec_reads_a_file_of_variables() {
    let sandbox = sandbox();
    let env = concat!(
        "# of the service\nexport A=cvault:x/Key\nB=\"two words\" # and more\nC=old\nC=cvault:team%2Fx/Key\n",
        "D=cvault:no/such\nD=plain\nTAKEN=file\nTW_Key=file\nIMAGE=cvault:1.2\nexport E\n",
        "CVAULT_PASSPHRASE=hunter2\nCVAULT_IDENTITY_FILE=cvault:x/Key\n"
    );
    sandbox.write("service.env", env);
    let mut exec_it = exec(
        &sandbox,
        &[
            "--env-file",
            "service.env",
            "--all",
            "x",
            "--prefix",
            "TW_",
            "--env",
            "TAKEN=x/Key",
        ],
    );
    exec_it.env("B", "cvault:no/such").env("E", "stays");
    let found = environment(exec_it);
    for (name, value) in [
        ("A", "s3cret-1"),
        ("B", "two words"),
        ("C", "s3cret-3"),
        ("D", "plain"),
        ("E", "stays"),
        ("TAKEN", "s3cret-1"),
        ("TW_Key", "s3cret-1"),
        ("IMAGE", "cvault:1.2"),
    ] {
        assert_eq!(found[name], value, "{name}");
    }
    assert!(
        found.get("CVAULT_PASSPHRASE").is_none() && found.get("CVAULT_IDENTITY_FILE").is_none()
    );

    // What `get` writes for such a file, it reads.
    let value = "s3cret 2\n'\"$HOME";
    let properties = json!({"Odd": value}).to_string();
    sandbox.add(
        "odd",
        "N",
        "T",
        &Properties::from_json(&properties).unwrap(),
    );
    let line = sandbox.run([
        "get", "v.cvault", "odd", "Odd", "--format", "env", "--out", "odd.env",
    ]);
    line.text();
    assert_eq!(
        environment(exec(&sandbox, &["--env-file", "odd.env"]))["Odd"],
        value
    );

    let piped = ran_with(
        exec(&sandbox, &["--env-file", "-", "--", "sh", "-c", "echo $A"]).env("A", "before"),
        "A=cvault:x/Key",
    );
    assert_eq!(piped.text(), "s3cret-1\n");

    for (text, code, told) in [
        ("A=b\nhunter2", "invalid_env_file", "line 2"),
        ("A='hunter2", "invalid_env_file", "line 1"),
        (
            "A=cvault:x/hunter2",
            "property_not_found",
            "the variable A of --env-file",
        ),
        ("A=cvault:/hunter2", "usage", "the variable A of --env-file"),
        (
            "A=hunter2\0",
            "invalid_argument",
            "the variable A of --env-file",
        ),
    ] {
        sandbox.write("service.env", text);
        let refused = ran(&mut exec(
            &sandbox,
            &["--json", "--env-file", "service.env", "--", "env"],
        ));
        let error = refused.error(125);
        assert_eq!(error["code"], code, "{text}");
        assert!(error["message"].as_str().unwrap().contains(told), "{error}");
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
    let missing = ran(&mut exec(
        &sandbox,
        &["--json", "--env-file", "no.env", "--", "env"],
    ));
    assert_eq!(missing.error(125)["code"], "file_not_found");
}

#[test]
fn exec_takes_what_unlocks_from_the_program() {
    let sandbox = sandbox();
    sandbox.write("id", &sandbox.identity);
    for (name, value) in [
        ("CVAULT_IDENTITY", sandbox.identity.as_str()),
        ("CVAULT_IDENTITY_FILE", "id"),
        ("CVAULT_IDENTITY_COMMAND", "cat id"),
    ] {
        let mut exec = exec(&sandbox, &["--env", "A=x/Key"]);
        exec.env_remove("CVAULT_IDENTITY")
            .env(name, value)
            .env("CVAULT_NEW_PASSPHRASE", "s3cret")
            .env("CVAULT_NEW_PASSPHRASE_FILE", "cvault:x/Key");
        let found = environment(exec);
        let found = found.as_object().unwrap();
        let ours: Vec<_> = found
            .keys()
            .filter(|name| name.starts_with("CVAULT_"))
            .collect();
        assert_eq!(ours, ["CVAULT_STATE_DIR"]);
        assert_eq!(found["A"], "s3cret-1");
    }
}

#[test]
fn exec_ends_as_the_program_does() {
    let sandbox = sandbox();
    let run = |command: &[&str]| ran(exec(&sandbox, &["--env", "A=x/Key", "--"]).args(command));
    for code in [0, 1, 2, 7, 125, 255] {
        assert_eq!(run(&["sh", "-c", &format!("exit {code}")]).code, code);
    }
    let said = run(&["sh", "-c", "echo out; echo err >&2"]);
    assert_eq!(
        (said.stdout.as_str(), said.stderr.as_str()),
        ("out\n", "err\n")
    );
    // As a shell tells of a signal: 128 and its number.
    let script = "\"$0\" exec v.cvault -- sh -c 'kill -TERM $$'; echo $?";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_cvault")])
        .env("CVAULT_STATE_DIR", sandbox.dir.path().join("state"))
        .env("CVAULT_IDENTITY", &sandbox.identity)
        .env("CVAULT_VAULT_ID", &sandbox.vault_id)
        .current_dir(sandbox.dir.path());
    assert_eq!(ran(&mut shell).stdout, "143\n");
}

#[test]
fn exec_tells_why_the_program_does_not_run() {
    let sandbox = sandbox();
    sandbox.write("text", "s3cret");
    sandbox.write("script", "#!/no/such/interpreter\n");
    let path = sandbox.dir.path().join("script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    for (program, exit_code, code) in [
        ("no-such-program", 127, "command_not_found"),
        ("./no-such-program", 127, "command_not_found"),
        ("text/x", 126, "command_not_executable"),
        ("./text", 126, "command_not_executable"),
        (".", 126, "command_not_executable"),
        ("./script", 126, "command_not_executable"),
    ] {
        let refused = ran(&mut exec(&sandbox, &["--json", "--", program, "s3cret"]));
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(exit_code)["code"], code, "{program}");
    }
}

#[test]
fn what_fails_before_the_program_runs_ends_with_125() {
    let sandbox = sandbox();
    let run = |args: &[&str]| ran(exec(&sandbox, &["--json"]).args(args));
    for (args, code) in [
        (&["--env", "A=x/No", "--", "true"][..], "property_not_found"),
        (&["--env", "A=no/Key", "--", "true"], "connector_not_found"),
        (&["--all", "no", "--", "true"], "connector_not_found"),
        (&["--env", "A", "--", "true"], "usage"),
        (&["--env", "=x/Key", "--", "true"], "usage"),
        (&["--env", "A=x", "--", "true"], "usage"),
        (
            &["--env", "A=x/Key", "--env", "A=x/User", "--", "true"],
            "usage",
        ),
        (&["--prefix", "P", "--", "true"], "usage"),
        (&["--no-such-option", "--", "true"], "usage"),
        (&["true"], "usage"),
        (&[], "usage"),
        (&["--"], "usage"),
    ] {
        assert_eq!(run(args).error(125)["code"], code, "{args:?}");
    }
    let people = ran(exec(&sandbox, &["--no-such-option"]).args(["--", "true"]));
    assert_eq!(people.code, 125, "{people:?}");
    let near = run(&["--env", "A=X/Key", "--", "true"]).error(125);
    assert_eq!(near["hint"], "did you mean \"x\"?");
    let no_vault = ran(&mut sandbox.cvault(["--json", "exec", "no.cvault", "--", "true"]));
    assert_eq!(no_vault.error(125)["code"], "file_not_found");
    let help = ran(&mut sandbox.cvault(["exec", "--help"]));
    assert!(help.text().contains("--env <NAME=ID/PROPERTY>"));
}

#[test]
fn a_value_that_no_variable_can_hold_is_refused() {
    let sandbox = Sandbox::new();
    let properties = json!({"Key": "s3cret\0"}).to_string();
    sandbox.add("x", "N", "T", &Properties::from_json(&properties).unwrap());
    for args in [["--env", "A=x/Key"], ["--all", "x"]] {
        let refused = ran(exec(&sandbox, &args).args(["--json", "--", "true"]));
        assert!(!refused.stderr.contains("s3cret"), "{refused:?}");
        assert_eq!(refused.error(125)["code"], "invalid_argument");
    }
}

#[test]
fn the_program_has_standard_input_and_options_of_its_own() {
    let sandbox = sandbox();
    let mut exec = exec(
        &sandbox,
        &[
            "--env",
            "A=x/Key",
            "--",
            "sh",
            "-c",
            "cat; echo $0",
            "--json",
        ],
    );
    assert_eq!(ran_with(&mut exec, "in\n").text(), "in\n--json\n");
}

/// Signals reach the program, and values stand in its environment alone: in no command line and no file.
#[test]
fn signals_reach_the_program_and_no_command_line_has_a_value() {
    let sandbox = sandbox();
    let mut exec = exec(
        &sandbox,
        &[
            "--env",
            "A=x/Key",
            "--",
            "sh",
            "-c",
            "echo \"$A\"; read line",
        ],
    );
    exec.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = exec.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "s3cret-1\n");
    let pid = child.id().to_string();
    #[cfg(target_os = "linux")]
    {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(
            line.contains("read line") && !line.contains("s3cret"),
            "{line}"
        );
    }
    let kill = format!("kill -TERM {pid}");
    assert_eq!(ran(Command::new("sh").args(["-c", &kill])).code, 0);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    for dir in [sandbox.dir.path(), &sandbox.dir.path().join("state")] {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let bytes = if path.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            assert!(
                !bytes.windows(6).any(|part| part == b"s3cret"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn exec_needs_a_role_that_reads() {
    let sandbox = sandbox();
    sandbox
        .run(["identity", "new", "--out", "ci.identity"])
        .text();
    let grant = [
        "grant",
        "v.cvault",
        "--label",
        "ci",
        "--right",
        "viewer",
        "--to",
        "@ci.identity.pub",
    ];
    sandbox.run(grant).text();
    let mut exec = exec(&sandbox, &["--env", "A=x/Key", "--json", "--", "true"]);
    exec.env_remove("CVAULT_IDENTITY")
        .env("CVAULT_IDENTITY_FILE", "ci.identity");
    let refused = ran(&mut exec);
    assert_eq!(refused.error(125)["code"], "not_permitted");
}
