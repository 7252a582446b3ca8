//! Commands about who may do what: `grants`, `grant`, `grant renew`, `rights`, `revoke`, `passwd`.

use std::fmt::Write as _;
use std::path::Path;

use connector_vault::{
    ConnectorId, FalseVersion, GrantInfo, GrantKey, Grantee, RightInfo, Terms, Vault,
};
use connector_vault_store::{FileSource, Revoked};
use serde_json::json;

use super::Context;
use super::identity::NewIdentity;
use crate::cli::{
    GrantArgs, GrantOrRenewArgs, LabelArgs, PasswdArgs, RenewArgs, RightsArgs, UntilArg, VaultArgs,
};
use crate::failure::{Failure, Result};
use crate::input::{Input, Wanted};
use crate::output::{BOLD, Output, styled};
use crate::report;
use crate::table::Table;
use crate::terminal::printable;
use crate::unlock;

pub(super) fn list(args: &VaultArgs, context: &Context) -> Result<()> {
    let file = unlock::open(args, &context.input, context.output)?;
    let grants: Vec<_> = file.vault().grants().collect();
    let result = json!({"grants": grants});
    context.output.result(&result, || {
        let mut table = Table::new([
            "LABEL",
            "RIGHTS",
            "OPENS BY",
            "SINCE",
            "UNTIL",
            "FINGERPRINT",
            "",
        ]);
        for grant in &grants {
            table.row([
                &grant.label,
                &rights_text(&grant.rights),
                match (grant.has_passphrase, grant.has_key) {
                    (true, true) => "passphrase, key",
                    (true, false) => "passphrase",
                    (false, true) => "key",
                    (false, false) => "identity",
                },
                &grant.since,
                grant.until.as_deref().unwrap_or_default(),
                &grant.fingerprint,
                if grant.is_own { "(you)" } else { "" },
            ]);
        }
        table.drop_empty_column(4);
        table.render()
    })
}

fn rights_text(rights: &[RightInfo]) -> String {
    let rights: Vec<_> = rights.iter().map(ToString::to_string).collect();
    rights.join(", ")
}

pub(super) fn grant_or_renew(args: GrantOrRenewArgs, context: &Context) -> Result<()> {
    match args {
        GrantOrRenewArgs::New(args) => grant(args, context),
        GrantOrRenewArgs::Renew(args) => renew(&args, context),
    }
}

fn grant(args: GrantArgs, context: &Context) -> Result<()> {
    let output = context.output;
    let key = args.to.as_deref().map(|to| grant_key(to, &context.input));
    let key = key.transpose()?;
    let mut terms = Terms::from(args.right);
    if let Some(until) = args.until {
        terms = terms.until(until);
    }
    let mut file = unlock::open(&args.vault, &context.input, output)?;
    let secret;
    let to = match &key {
        Some(key) => Grantee::Key(key),
        None => {
            secret = unlock::new_passphrase(&context.input, output)?;
            Grantee::Passphrase(&secret, unlock::cost(args.cost, output))
        }
    };
    let left_out = file.grant(&args.label, terms, to)?;
    report::left_out(&left_out, output);
    let vault = file.vault();
    let vault_id = vault.head().vault_id;
    let granted = granted(vault, &args.label)?;
    let reference = vault.reference();
    let result = json!({"vault_id": vault_id, "vault_reference": reference, "grant": granted});
    output.result(&result, || {
        let how = match &key {
            Some(key) => format!(
                "Compare its fingerprint with its holder: {}\nThe holder opens the vault by the identity, and \
                 needs the vault reference:\n  CVAULT_VAULT_REF={reference}",
                key.fingerprint()
            ),
            None => "Its holder opens the vault by the new passphrase.".to_owned(),
        };
        let rights = rights_text(&granted.rights);
        let head = format!("Granted {} to {}", printable(&rights), printable(&args.label));
        format!("{}\n{how}", styled(BOLD, &head))
    })
}

fn granted(vault: &Vault<FileSource>, label: &str) -> Result<GrantInfo> {
    let mut grants = vault.grants();
    let found = grants.find(|grant| grant.label == label);
    found.ok_or_else(|| Failure::new("internal", "a grant is gone as soon as it is made"))
}

fn renew(args: &RenewArgs, context: &Context) -> Result<()> {
    let output = context.output;
    let LabelArgs { vault, label } = &args.grant;
    let key = args.to.as_deref().map(|to| grant_key(to, &context.input));
    let key = key.transpose()?;
    let mut file = unlock::open(vault, &context.input, output)?;
    let passphrase;
    let new = args.out.as_deref().map(NewIdentity::write).transpose()?;
    let to = match (&key, &new) {
        (Some(key), _) => Grantee::Key(key),
        (None, Some(new)) => Grantee::Identity(&new.identity),
        (None, None) => {
            passphrase = unlock::new_passphrase(&context.input, output)?;
            Grantee::Passphrase(&passphrase, unlock::cost(args.cost, output))
        }
    };
    let mut progress = output.progress("sealing again:");
    let renewed = file.renew_with(label, to, |done, total| progress.at(done, total));
    let renewed = renewed.map_err(|error| {
        let failure = Failure::from(error);
        if let (Some(new), true) = (&new, failure.code != "outcome_unknown") {
            new.take_back();
        }
        failure
    })?;
    let taken = Taken::of(renewed, output);
    let vault = file.vault();
    let granted = granted(vault, label)?;
    let mut result = json!({
        "vault_id": vault.id(),
        "grant": granted,
        "epoch": vault.head().epoch,
        "exposed": taken.exposed,
        "forgotten": taken.forgotten,
    });
    if let Some(new) = &new {
        result["path"] = json!(new.path.to_string_lossy());
        result["public_path"] = json!(new.public_path.to_string_lossy());
    }
    output.result(&result, || {
        let how = match (&key, &new) {
            (Some(_), _) => "Compare its fingerprint with its holder".to_owned(),
            (None, Some(new)) => format!(
                "Its identity is in {}; its fingerprint",
                printable(&new.path.to_string_lossy())
            ),
            (None, None) => "The new passphrase opens it; its fingerprint".to_owned(),
        };
        let head = format!(
            "{} has a new identity: the vault has new keys",
            printable(label)
        );
        format!(
            "{}\n{how}: {}\nNothing else that opened the grant does so any more.\n{}",
            styled(BOLD, &head),
            granted.fingerprint,
            exposed_text(&taken.exposed)
        )
    })
}

/// A public key: its text, or `@` and the path of a file with it.
fn grant_key(to: &str, input: &Input) -> Result<GrantKey> {
    let Some(path) = to.strip_prefix('@') else {
        return Ok(GrantKey::parse(to)?);
    };
    let wanted = Wanted::key("the public key", "--to");
    Ok(GrantKey::parse(&input.text(Path::new(path), wanted)?)?)
}

pub(super) fn revoke(args: &LabelArgs, context: &Context) -> Result<()> {
    let mut file = unlock::open(&args.vault, &context.input, context.output)?;
    let mut progress = context.output.progress("sealing again:");
    let revoked = file.revoke_with(&args.label, |done, total| progress.at(done, total))?;
    let taken = Taken::of(revoked, context.output);
    let result = json!({
        "label": args.label,
        "epoch": file.vault().head().epoch,
        "exposed": taken.exposed,
        "forgotten": taken.forgotten,
    });
    context.output.result(&result, || {
        let head = format!("Revoked {}: the vault has new keys", printable(&args.label));
        format!("{}\n{}", styled(BOLD, &head), exposed_text(&taken.exposed))
    })
}

pub(super) fn rights(args: RightsArgs, context: &Context) -> Result<()> {
    let LabelArgs { vault, label } = &args.grant;
    let terms = match args.right.is_empty() {
        true => Terms::same(),
        false => Terms::from(args.right),
    };
    let terms = match args.until {
        None => terms,
        Some(UntilArg::Never) => terms.without_until(),
        Some(UntilArg::At(until)) => terms.until(until),
    };
    let mut file = unlock::open(vault, &context.input, context.output)?;
    let mut progress = context.output.progress("sealing again:");
    let before = file.vault().head().epoch;
    let revoked = file.set_rights_with(label, terms, |done, total| progress.at(done, total))?;
    let taken = Taken::of(revoked, context.output);
    let vault = file.vault();
    let epoch = vault.head().epoch;
    let grant = granted(vault, label)?;
    let result = json!({
        "label": label,
        "rights": grant.rights,
        "until": grant.until,
        "epoch": epoch,
        "exposed": taken.exposed,
        "forgotten": taken.forgotten,
    });
    context.output.result(&result, || {
        let keys = match epoch == before {
            true => "",
            false => "; the vault has new keys",
        };
        let (label, rights) = (printable(label), rights_text(&grant.rights));
        let until = grant.until.as_deref();
        let until = until.map_or(String::new(), |until| format!(", until {until}"));
        let head = format!("{label} is {}{until} now{keys}", printable(&rights));
        let exposed = match taken.exposed.is_empty() {
            true => String::new(),
            false => exposed_text(&taken.exposed),
        };
        format!("{}\n{exposed}", styled(BOLD, &head))
    })
}

/// What the owner should hear of a change that takes something away.
pub(super) struct Taken {
    /// The connectors that a former holder could read.
    exposed: Vec<ConnectorId>,
    /// The labels of former grants that the vault does not name any more.
    forgotten: Vec<String>,
}

impl Taken {
    /// Warns of what was left out.
    fn of(revoked: Revoked, output: Output) -> Self {
        tell_left_out(
            &revoked.false_versions,
            &revoked.damaged,
            &revoked.forgotten,
            output,
        );
        Self {
            exposed: revoked.exposed,
            forgotten: revoked.forgotten,
        }
    }
}

/// Warns of versions that a new epoch left out, and of authors that it does not name any more.
pub(super) fn tell_left_out(
    false_versions: &[FalseVersion],
    damaged: &[connector_vault::Error],
    forgotten: &[String],
    output: Output,
) {
    report::left_out(false_versions, output);
    for error in damaged {
        let message = format!("{}; it was left out", error.message());
        output.warn(error.code().as_str(), &message);
    }
    for label in forgotten {
        let message = format!(
            "the vault names too many former grants: the versions that {label:?} wrote are yours now, with the same values"
        );
        output.warn("grant_forgotten", &message);
    }
}

fn exposed_text(exposed: &[ConnectorId]) -> String {
    if exposed.is_empty() {
        return "No value was exposed. An old copy of the vault still opens for its former holder, and \
                lists names."
            .to_owned();
    }
    let mut out =
        "An old copy of the vault still opens for its former holder. Rotate what it could read or \
                   has written:\n"
            .to_owned();
    for id in exposed {
        let _ = writeln!(out, "  {}", printable(id.as_str()));
    }
    out
}

pub(super) fn passwd(args: &PasswdArgs, context: &Context) -> Result<()> {
    let output = context.output;
    let mut file = unlock::open(&args.vault, &context.input, output)?;
    let passphrase = unlock::new_passphrase(&context.input, output)?;
    let cost = unlock::cost(args.cost, output);
    file.set_passphrase(&passphrase, cost)?;
    let label = file.vault().label();
    let result = json!({
        "label": label,
        "memory_kib": cost.memory_kib,
        "passes": cost.passes,
        "lanes": cost.lanes,
    });
    output.result(&result, || {
        format!(
            "{}\nWhoever has an old copy of the vault and the old passphrase still opens that copy, and \
             with the\nidentity in it also this vault. If the old passphrase is known to somebody, let an \
             owner renew\nthis grant: `cvault grant renew`.",
            styled(BOLD, &format!("{} has a new passphrase", printable(label)))
        )
    })
}
