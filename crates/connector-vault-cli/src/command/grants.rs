//! Commands about who may do what: `grants`, `grant`, `revoke`, `role`, `passwd`.

use std::fmt::Write as _;
use std::path::Path;

use connector_vault::{ConnectorId, GrantKey, Grantee};
use connector_vault_store::Revoked;
use serde_json::json;

use super::Context;
use crate::cli::{GrantArgs, LabelArgs, PasswdArgs, RoleArgs, VaultArgs};
use crate::failure::Result;
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
        let mut table = Table::new(["LABEL", "ROLE", "OPENS BY", "SINCE", "FINGERPRINT", ""]);
        for grant in &grants {
            table.row([
                &grant.label,
                grant.role.as_str(),
                match (grant.has_passphrase, grant.has_key) {
                    (true, true) => "passphrase, key",
                    (true, false) => "passphrase",
                    (false, true) => "key",
                    (false, false) => "identity",
                },
                &grant.since,
                &grant.fingerprint,
                if grant.is_own { "(you)" } else { "" },
            ]);
        }
        table.render()
    })
}

pub(super) fn grant(args: &GrantArgs, context: &Context) -> Result<()> {
    let output = context.output;
    let key = args.to.as_deref().map(|to| grant_key(to, &context.input));
    let key = key.transpose()?;
    let mut file = unlock::open(&args.vault, &context.input, output)?;
    let passphrase = match key {
        Some(_) => None,
        None => Some(unlock::new_passphrase(&context.input, output)?),
    };
    let to = match (&key, &passphrase) {
        (Some(key), _) => Some(Grantee::Key(key)),
        (None, passphrase) => passphrase
            .as_ref()
            .map(|passphrase| Grantee::Passphrase(passphrase, unlock::cost(args.cost, output))),
    };
    if let Some(to) = to {
        let left_out = file.grant(&args.label, args.role, to)?;
        report::left_out(&left_out, output);
    }
    let vault = file.vault();
    let vault_id = vault.head().vault_id;
    let granted = vault.grants().find(|grant| grant.label == args.label);
    let result = json!({"vault_id": vault_id, "grant": granted});
    output.result(&result, || {
        let how = match &key {
            Some(key) => format!(
                "Compare its fingerprint with its holder: {}\nThe holder opens the vault by the identity, and \
                 needs the vault id:\n  CVAULT_VAULT_ID={vault_id}",
                key.fingerprint()
            ),
            None => "Its holder opens the vault by the new passphrase.".to_owned(),
        };
        let head = format!("Granted {} to {}", args.role, printable(&args.label));
        format!("{}\n{how}", styled(BOLD, &head))
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
    let exposed = exposed(revoked, context.output);
    let result = json!({
        "label": args.label,
        "epoch": file.vault().head().epoch,
        "exposed": exposed,
    });
    context.output.result(&result, || {
        let head = format!("Revoked {}: the vault has new keys", printable(&args.label));
        format!("{}\n{}", styled(BOLD, &head), exposed_text(&exposed))
    })
}

pub(super) fn role(args: &RoleArgs, context: &Context) -> Result<()> {
    let label = &args.grant.label;
    let mut file = unlock::open(&args.grant.vault, &context.input, context.output)?;
    let epoch_before = file.vault().head().epoch;
    let mut progress = context.output.progress("sealing again:");
    let revoked = file.set_role_with(label, args.role, |done, total| progress.at(done, total))?;
    let exposed = exposed(revoked, context.output);
    let epoch = file.vault().head().epoch;
    let result = json!({"label": label, "role": args.role, "epoch": epoch, "exposed": exposed});
    context.output.result(&result, || {
        let keys = match epoch == epoch_before {
            true => "",
            false => "; the vault has new keys",
        };
        let head = format!("{} is {} now{keys}", printable(label), args.role);
        let exposed = match exposed.is_empty() {
            true => String::new(),
            false => exposed_text(&exposed),
        };
        format!("{}\n{exposed}", styled(BOLD, &head))
    })
}

/// What a former holder could read. Warns of what was left out.
fn exposed(revoked: Revoked, output: Output) -> Vec<ConnectorId> {
    report::left_out(&revoked.false_versions, output);
    for error in &revoked.damaged {
        let message = format!("{}; it was left out", error.message());
        output.warn(error.code().as_str(), &message);
    }
    for label in &revoked.forgotten {
        let message = format!(
            "the vault names too many former grants: the versions that {label:?} wrote are yours now, with the same values"
        );
        output.warn("grant_forgotten", &message);
    }
    revoked.exposed
}

fn exposed_text(exposed: &[ConnectorId]) -> String {
    if exposed.is_empty() {
        return "No value was exposed. An old copy of the vault still opens for its former holder, and \
                lists names."
            .to_owned();
    }
    let mut out =
        "An old copy of the vault still opens for its former holder. Rotate what it could \
                   read:\n"
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
             owner revoke\nthis grant and grant again.",
            styled(BOLD, &format!("{} has a new passphrase", printable(label)))
        )
    })
}
