//! The command line as clap reads it: the commands, and the help that teaches them.

mod args;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use args::*;

/// What every help ends with.
macro_rules! environment {
    () => {
        "\
Environment:
  CVAULT_PASSPHRASE, CVAULT_PASSPHRASE_FILE, CVAULT_PASSPHRASE_COMMAND
      unlock by a passphrase: itself, the only line of a file, or what a command prints
  CVAULT_KEY, CVAULT_KEY_FILE, CVAULT_KEY_COMMAND
      unlock by an external key of 32 bytes, likewise, in base16 or base64url
  CVAULT_IDENTITY, CVAULT_IDENTITY_FILE, CVAULT_IDENTITY_COMMAND
      unlock by an identity, likewise
  CVAULT_NEW_PASSPHRASE, CVAULT_NEW_PASSPHRASE_FILE, CVAULT_NEW_PASSPHRASE_COMMAND
      for `grant` and `passwd`
  CVAULT_NEW_KEY, CVAULT_NEW_KEY_FILE, CVAULT_NEW_KEY_COMMAND
      for `key add`
  CVAULT_VAULT_REF, CVAULT_VAULT_ID
                     which vault to trust
  CVAULT_GRANT       whose key slot the passphrase or key is for
  CVAULT_KEY_HINT    which key slots the external key is for
  CVAULT_STATE_DIR   where known heads are kept
  NO_COLOR           no colours
  The file - is standard input. A command runs without a shell. An empty variable is not set.
  Without any of them a terminal is asked.

Exit codes:
  0  done
  1  refused or failed; nothing was changed unless the error says otherwise
  2  the command line is wrong"
    };
}

macro_rules! example {
    ($text:literal) => {
        concat!("Example:\n", $text, "\n\n", environment!())
    };
}

/// Keeps the credentials of workflow connectors in one encrypted file.
///
/// A vault holds connectors: an id that workflows refer to, a name, a type, and properties such as
/// APIKey or Endpoint. cvault lists them, updates them by the platform's action Connectors.Update,
/// keeps their history, and grants others exactly the rights they need. New here? `cvault demo`
/// shows it in ten seconds and leaves nothing behind.
#[derive(Debug, Parser)]
#[command(
    name = "cvault",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = concat!(
        "Example:\n",
        "  cvault init team.cvault\n",
        "  cvault add team.cvault --id twitter --name \"Twitter API\" --type Twitter --set-env APIKey=KEY\n",
        "  cvault run team.cvault rotate.json --plan\n",
        "  cvault run team.cvault rotate.json\n\n",
        environment!()
    )
)]
pub(crate) struct Cli {
    /// Prints one JSON document, and errors and warnings as JSON too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates a vault
    ///
    /// Creates an encrypted vault in a new file and prints its id. Its first owner opens it by a
    /// passphrase, or with --identity by an identity alone, for services that nobody types for.
    /// Back up the file, and keep the passphrase or identity elsewhere: without it the vault is lost.
    #[command(after_long_help = example!("  cvault init team.cvault --label ops"))]
    Init(InitArgs),

    /// Adds a connector
    ///
    /// Adds a connector with its properties. Values are taken literally, without tokens, and from
    /// files, variables or JSON only: what stands on a command line, other users of the machine can
    /// read. Without --id a new UUID is made.
    #[command(after_long_help = example!("  cvault add team.cvault --id twitter --name \"Twitter API\" --type Twitter \\\n      --set-file APIKey=key.txt --set-env APISecret=TWITTER_SECRET"))]
    Add(AddArgs),

    /// Lists the connectors, without their values
    ///
    /// Lists id, group, name, type, version, time and property names of every connector. Every role may,
    /// and no value is decrypted.
    #[command(after_long_help = example!("  cvault list team.cvault"))]
    List(ListArgs),

    /// Shows one connector
    ///
    /// Shows a connector and the names of its properties; with --reveal also the values. For people,
    /// a value with control characters or line breaks is shown as a JSON string; --json gives every
    /// value exactly.
    #[command(after_long_help = example!("  cvault show team.cvault twitter --reveal"))]
    Show(ShowArgs),

    /// Prints the value of one property
    ///
    /// Prints one value as it is, without a line break behind it, for scripts: KEY=$(cvault get ..). With
    /// --out it goes to a new file that only you can read. To run a program with values, prefer `exec`.
    #[command(after_long_help = example!("  cvault get team.cvault twitter APIKey --out key.txt"))]
    Get(GetArgs),

    /// Runs a program with values in its environment
    ///
    /// Runs COMMAND, which gets values as environment variables: those that --env and --all name, and those
    /// of variables that hold a reference, cvault:ID/PROPERTY, here or in a dotenv file. No value is written to a file or a command
    /// line. In ID and PROPERTY %2F stands for a slash and %25 for a percent sign. Signals and exit code
    /// are the program's; if cvault itself fails it ends with 125, if COMMAND cannot be run with 126, and
    /// if there is no such program with 127.
    #[command(after_long_help = example!("  cvault exec team.cvault --env API_KEY=twitter/APIKey -- ./deploy.sh"))]
    Exec(ExecArgs),

    /// Carries out an action: Connectors.Update and its siblings
    ///
    /// Carries out the platform's JSON action: Connectors.Update merges properties into a connector,
    /// CredStore.AddConnectorEntry creates one, CredStore.DeleteEntry deletes one. It happens wholly
    /// or not at all, also beside other processes. --plan shows what would change and writes nothing.
    /// Tokens such as `[Secrets:Key]` get their values from the --token options. Of several documents
    /// each is carried out for itself, with a line of outcome for each, and one that fails does not
    /// stop the others; --atomic carries out all of them or none.
    #[command(after_long_help = example!("  cvault run team.cvault rotate.json --token-env Secrets:Key=NEW_KEY --if-version 3"))]
    Run(RunArgs),

    /// Lists the tokens that an action needs
    ///
    /// Lists the tokens of an action in the order in which they are resolved: their names, the keys by which
    /// the --token options of `run` give them values, and whether the action fails without one: a token that
    /// has a default is not required. Opens no vault.
    #[command(after_long_help = example!("  cvault tokens rotate.json"))]
    Tokens(TokensArgs),

    /// Shows the versions of a connector
    ///
    /// Shows the kept versions of a connector, oldest first: what made them, when, who, and which
    /// properties changed. Also of one that is deleted now.
    #[command(after_long_help = example!("  cvault history team.cvault twitter"))]
    History(ConnectorArgs),

    /// Compares two versions of a connector
    ///
    /// Shows which properties were added, changed or removed from one kept version to another; with
    /// --reveal also both values.
    #[command(after_long_help = example!("  cvault diff team.cvault twitter 2 3"))]
    Diff(DiffArgs),

    /// Makes the properties of an earlier version the present ones
    ///
    /// Restoring is a change like any other: it makes a new version and forgets none.
    #[command(after_long_help = example!("  cvault restore team.cvault twitter 3"))]
    Restore(RestoreArgs),

    /// Deletes a connector
    ///
    /// Deletes a connector. Its kept versions stay in the history until a compaction drops them.
    #[command(after_long_help = example!("  cvault delete team.cvault twitter"))]
    Delete(ConnectorArgs),

    /// Brings a deleted connector back
    ///
    /// Brings a connector back as it was before it was deleted: name, type, meta and values, which are as old
    /// as they were then. The new version continues the numbers of the former ones.
    #[command(after_long_help = example!("  cvault undelete team.cvault twitter"))]
    Undelete(UndeleteArgs),

    /// Gives a connector another name, type or meta
    ///
    /// Changes what everybody who lists a connector may read of it: its name, its type, when it expires, what it is
    /// for. Its values stay, and are as old as they were. What is not named stays too.
    #[command(after_long_help = example!("  cvault describe team.cvault twitter --expires 2027-01-31 --tag billing --tag production"))]
    Describe(DescribeArgs),

    /// Moves a connector to another group
    ///
    /// From then on the members of that group see the connector, and those of its former group do not. Its former
    /// versions stay where they were made. Members of the former group may know its values: update them.
    #[command(after_long_help = example!("  cvault move team.cvault twitter --to billing"))]
    Move(MoveArgs),

    /// Adds the connectors of an export, all or none
    ///
    /// Adds the connectors that `export` wrote, or that another program wrote in the same shape:
    /// {"connectors": [{"id", "name", "type", "properties": {..}}]}. Or those of another tool's export, which
    /// --from names where the file does not show it. Values are literal. If one of the ids exists already, nothing
    /// is added, unless --on-conflict says otherwise. Parts of an export that no connector holds are listed.
    #[command(after_long_help = example!("  cvault import team.cvault bitwarden.json --on-conflict update --plan"))]
    Import(ImportArgs),

    /// Writes every connector with its values as JSON
    ///
    /// Writes all connectors, values in clear, as one JSON document that `import` reads. Versions
    /// before the present ones are left out. Prefer a copy of the vault's file as a backup: it stays
    /// encrypted.
    #[command(after_long_help = example!("  cvault export team.cvault --reveal --out connectors.json"))]
    Export(ExportArgs),

    /// Checks every signature, hash and secret
    ///
    /// Opening a vault checks what a reader relies on. This checks everything: each commit's
    /// signature, the chain, each record, and, if the role reads values, that every value decrypts.
    #[command(after_long_help = example!("  cvault verify team.cvault"))]
    Verify(VaultArgs),

    /// Lists who may do what
    ///
    /// Lists the grants: label, rights, and whether a passphrase or only an identity opens them.
    #[command(after_long_help = example!("  cvault grants team.cvault"))]
    Grants(VaultArgs),

    /// Grants somebody rights, or renews a grant
    ///
    /// Lets somebody else open the vault: by their public key (--to, from `cvault identity new`), so
    /// that no secret changes hands, or by a new passphrase. Compare the fingerprint with its holder. A right is a
    /// role in all groups, or in one: a viewer lists, a rotator also sets and removes values without reading any, a
    /// reader lists and reads values, an updater also changes existing connectors, an editor also creates, describes,
    /// moves, deletes and undeletes them, an owner may do everything, in all groups. Rights add up.
    #[command(after_long_help = example!("  cvault grant team.cvault --label ci --right viewer --right rotator:payments --to @ci.identity.pub"))]
    Grant(GrantOrRenewArgs),

    /// Takes a grant away
    ///
    /// Replaces the vault's keys and seals everything again, so that nothing written from now on
    /// opens for the former holder. An old copy still does: rotate the connectors that are listed.
    #[command(after_long_help = example!("  cvault revoke team.cvault ci"))]
    Revoke(LabelArgs),

    /// Gives a grant other rights
    ///
    /// Replaces the rights of a grant, or its date. More rights take effect at once. Where a grant loses something,
    /// the vault's keys are replaced as by `revoke`.
    #[command(after_long_help = example!("  cvault rights team.cvault ci --right viewer --right updater:payments"))]
    Rights(RightsArgs),

    /// Lists, adds, renames and removes groups of connectors
    ///
    /// Each connector is in one group: `default`, unless `add` names another. A grant can have rights in some groups
    /// only: it lists and reads no connector of the others.
    #[command(subcommand, after_long_help = example!("  cvault group add team.cvault payments"))]
    Group(GroupCommand),

    /// Replaces the passphrase of the grant that opens the vault
    ///
    /// Replaces your own passphrase, or sets a first one. It does not help against somebody who has an
    /// old copy of the vault and the old passphrase: for that, let an owner revoke your grant and
    /// grant again.
    #[command(after_long_help = example!("  cvault passwd team.cvault"))]
    Passwd(PasswdArgs),

    /// Lists key slots, adds and removes external keys
    ///
    /// A key slot opens a grant by a passphrase or by an external key: 32 bytes that a key management
    /// service, a keychain or a passkey holds. Every member adds and removes external keys of its own grant.
    #[command(subcommand, after_long_help = example!("  cvault key list team.cvault"))]
    Key(KeyCommand),

    /// Rewrites the file without old versions
    ///
    /// Replaces the log by a snapshot that keeps the newest versions of each connector. No secret is
    /// decrypted. A vault of which more than half is outdated does it by itself.
    #[command(after_long_help = example!("  cvault compact team.cvault --keep 5"))]
    Compact(CompactArgs),

    /// Drops former versions, so that no former value is in the file
    ///
    /// Keeps only the newest version of these connectors, or of all, and deletes the side files with the
    /// bytes of torn tails. This cannot be undone: it asks first, and without a terminal it needs --yes.
    /// Backups and other copies of the vault still have what they had.
    #[command(after_long_help = example!("  cvault purge team.cvault twitter"))]
    Purge(PurgeArgs),

    /// Takes over what another copy of the vault changed
    ///
    /// Merges two copies of one vault that were changed apart: per connector and per property, from the
    /// newest version that both keep. The result is a commit of yours on OURS; THEIRS is not changed, and
    /// may be older than what was seen of it. What both changed differently is a conflict: nothing is
    /// written until --resolve says whose side wins. Another vault does not merge: export and import.
    #[command(after_long_help = example!("  cvault merge team.cvault laptop.cvault --plan"),
              mut_arg("path", |arg| arg.value_name("OURS").help("The copy that takes over the changes").index(1)), mut_arg("theirs", |arg| arg.index(2)))]
    Merge(MergeArgs),

    /// Makes a sound vault of what is intact of a damaged one
    ///
    /// Writes to a new file every version that its author signed and that stands in its place, and lists what is
    /// lost. A version that stands elsewhere may have been discarded: it is listed, and taken over only with
    /// --elsewhere. Needs an owner, who signs the result. DAMAGED stays as it is.
    #[command(after_long_help = example!("  cvault repair team.cvault repaired.cvault"),
              mut_arg("path", |arg| arg.value_name("DAMAGED").help("The damaged vault's file").index(1)), mut_arg("out", |arg| arg.index(2)))]
    Repair(RepairArgs),

    /// Shows the newest commit: the witness against rollback
    ///
    /// Shows vault id, epoch, number and hash of the newest commit. cvault remembers it for each vault
    /// and refuses an older or forked file, unless told --accept.
    #[command(after_long_help = example!("  cvault head team.cvault"))]
    Head(VaultArgs),

    /// Lists every commit, its author and its signature
    ///
    /// The signed audit trail since the last snapshot, oldest commit first. With --json one document per
    /// line and commit, as log collectors take it.
    #[command(after_long_help = example!("  cvault log team.cvault"))]
    Log(VaultArgs),

    /// Makes a random value, such as a password
    ///
    /// Prints a value of LENGTH random characters, letters and digits unless an alphabet is named: alnum,
    /// alpha, upper, lower, digits, hex, base32, base64, base64url, printable, or the characters themselves.
    /// A value that nobody needs to see is better made by `add --set-random` or `run --token-random`.
    #[command(after_long_help = example!("  cvault generate 40:base64url"))]
    Generate {
        /// How many characters, and of which alphabet
        #[arg(value_name = "LENGTH[:ALPHABET]")]
        recipe: Option<String>,
    },

    /// Makes an identity: what a service holds instead of a passphrase
    ///
    /// An identity is a secret of its own, from which the keys of a grant derive. A service holds it in
    /// a file or a variable; an owner grants something to its public key, so that no secret changes hands.
    #[command(subcommand, after_long_help = example!("  cvault identity new --out ci.identity"))]
    Identity(IdentityCommand),

    /// Shows a vault at work, in a temporary folder
    ///
    /// Creates a vault with two connectors in a temporary folder, updates them by the two documented
    /// actions, and shows action, plan, result and history. It needs nothing and leaves nothing behind.
    #[command(after_long_help = example!("  cvault demo"))]
    Demo,

    /// Writes a completion script for a shell
    ///
    /// Writes the script to standard output, where the shell's own documentation says to put it.
    #[command(after_long_help = example!("  cvault completions bash > ~/.local/share/bash-completion/completions/cvault"))]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Gives a grant a new identity
    ///
    /// A passphrase that is replaced, or a key slot that is removed, still opens old copies of the vault, and the
    /// identity in them opens new ones. Renewing ends that: the grant keeps label, rights and date, the former
    /// identity is revoked and the vault's keys are replaced. Its holder opens the vault by a new passphrase, by the
    /// new identity that --out writes, or by the one that --to names.
    #[command(after_long_help = example!("  cvault grant renew team.cvault ops"))]
    Renew(RenewArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists the groups
    ///
    /// Lists the groups, how many connectors are in each, and the grants that have a right in it. Groups that your
    /// grant does not list have no name.
    #[command(after_long_help = example!("  cvault group list team.cvault"))]
    List(VaultArgs),

    /// Adds a group
    ///
    /// Adds a group. Grants with a right in all groups have it there too.
    #[command(after_long_help = example!("  cvault group add team.cvault payments"))]
    Add(GroupArgs),

    /// Gives a group another name
    ///
    /// The group stays the same: connectors and rights in it stay. The group `default` keeps its name.
    #[command(after_long_help = example!("  cvault group rename team.cvault payments billing"))]
    Rename(GroupRenameArgs),

    /// Removes a group in which there is no connector
    ///
    /// Removes a group and the former versions in it. Rights in it are taken from all grants, and a grant without
    /// any other right is revoked; the vault's keys are replaced then. Ids that were deleted in the group stay
    /// deleted: --to says in which group.
    #[command(after_long_help = example!("  cvault group remove team.cvault payments --to default"))]
    Remove(GroupRemoveArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Lists the key slots, without unlocking the vault
    ///
    /// Lists whose key slots there are, what opens them, and the hints of external keys. Nothing is unlocked for
    /// it: anybody who can write to the file can have changed what it shows.
    #[command(after_long_help = example!("  cvault key list team.cvault"))]
    List(KeyListArgs),

    /// Adds an external key to your grant
    ///
    /// The new key comes from CVAULT_NEW_KEY, CVAULT_NEW_KEY_FILE or CVAULT_NEW_KEY_COMMAND. The hint stands
    /// in the file in clear; it tells later which key is meant.
    #[command(after_long_help = example!("  openssl rand -hex 32 > ops.key\n  CVAULT_NEW_KEY_FILE=ops.key cvault key add team.cvault --hint ops.key"))]
    Add(KeyAddArgs),

    /// Removes external keys from your grant
    ///
    /// Old copies of the vault still open by them: if a key is known to somebody, let an owner revoke
    /// your grant and grant again. The last key slot of a grant stays.
    #[command(after_long_help = example!("  cvault key remove team.cvault --hint ops.key"))]
    Remove(KeyRemoveArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Makes a new identity
    ///
    /// Makes a secret and the public key that an owner grants something to. With --out the secret goes
    /// to a new file that only you can read, and the public key to a file of this name with `.pub`; without
    /// it the secret goes to standard output and the public key to standard error.
    #[command(after_long_help = example!("  cvault identity new --out ci.identity"))]
    New {
        /// The file to write the secret to
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests;
