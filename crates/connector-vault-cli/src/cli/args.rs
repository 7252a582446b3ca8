//! The arguments and options of each command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand as _, ValueEnum};
use connector_vault::{Cost, Right, Role, Timestamp, limits};
use connector_vault_import::Kind;

use super::GrantCommand;
use crate::usage::{moment, number, positive, whole};

const OPENING: &str = "Opening the vault";
const COST: &str = "Cost of trying the passphrase (Argon2id)";

#[derive(Debug, Args)]
pub(crate) struct VaultArgs {
    /// The vault's file
    #[arg(value_name = "VAULT")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// Tries only the key slots of this grant, which saves time
    #[arg(long, help_heading = OPENING, hide_short_help = true, value_name = "LABEL")]
    pub(crate) grant_label: Option<String>,
    /// Tries the external key only with key slots that have this hint
    #[arg(long, help_heading = OPENING, hide_short_help = true, value_name = "HINT")]
    pub(crate) key_hint: Option<String>,
    /// The vault must have this id; an identity needs it unless the vault is known here
    #[arg(long, help_heading = OPENING, hide_short_help = true, value_name = "ID")]
    pub(crate) vault_id: Option<String>,
    /// The vault must be the one of this vault reference, which an owner gives; instead of --vault-id
    #[arg(long, help_heading = OPENING, hide_short_help = true, value_name = "REF")]
    pub(crate) vault_ref: Option<String>,
    /// Takes the vault as it is, though it is older than what was seen of it, or another copy
    #[arg(long, help_heading = OPENING, hide_short_help = true)]
    pub(crate) accept: bool,
    /// Neither checks nor remembers the newest head seen: a rollback goes unnoticed
    #[arg(long, help_heading = OPENING, hide_short_help = true, conflicts_with = "accept")]
    pub(crate) no_heads: bool,
    /// Most memory that a key slot may make Argon2id use, in MiB
    #[arg(long, help_heading = OPENING, hide_short_help = true, value_name = "MIB", default_value_t = limits::MEMORY_KIB_MAX / 1024,
          value_parser = number(19..=1024_u32))]
    pub(crate) max_memory_mib: u32,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct CostArgs {
    /// Memory in MiB
    #[arg(long, help_heading = COST, value_name = "MIB", default_value_t = Cost::default().memory_kib / 1024,
          value_parser = number(1..=4096_u32))]
    pub(crate) memory_mib: u32,
    /// Passes over the memory
    #[arg(long, help_heading = COST, value_name = "N", default_value_t = Cost::default().passes, value_parser = whole::<u32>)]
    pub(crate) passes: u32,
    /// Lanes
    #[arg(long, help_heading = COST, value_name = "N", default_value_t = Cost::default().lanes, value_parser = whole::<u32>)]
    pub(crate) lanes: u32,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to create
    #[arg(value_name = "VAULT")]
    pub(crate) path: PathBuf,
    /// What the owner is called
    #[arg(long, default_value = "owner")]
    pub(crate) label: String,
    /// Creates the owner by the identity of CVAULT_IDENTITY, CVAULT_IDENTITY_FILE or
    /// CVAULT_IDENTITY_COMMAND, without a passphrase
    #[arg(long)]
    pub(crate) identity: bool,
    /// Does not remember the head of the new vault
    #[arg(long)]
    pub(crate) no_heads: bool,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectorArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The connector's id
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The connector's id, which never changes; a new UUID if left out
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Its name, for people
    #[arg(long)]
    pub(crate) name: String,
    /// Its type, for the platform
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: String,
    /// The group that it is in: `default` if left out
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Says something that everybody who lists the connector may read, such as expires, description or tags; repeatable
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) meta: Vec<String>,
    /// Sets a property to the text of a file; the end of its only line is left out; repeatable
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) set_file: Vec<String>,
    /// Sets a property to the value of an environment variable; repeatable
    #[arg(long, value_name = "NAME=VARIABLE")]
    pub(crate) set_env: Vec<String>,
    /// Sets a property to a random value that nobody sees, 32 letters and digits unless said otherwise;
    /// `generate --help` has the alphabets; repeatable
    #[arg(long, value_name = "NAME[=LENGTH[:ALPHABET]]")]
    pub(crate) set_random: Vec<String>,
    /// Takes properties from a JSON object, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from_json: Option<PathBuf>,
    /// Takes a value such as *** for a value
    #[arg(long)]
    pub(crate) allow_mask: bool,
    /// Takes an empty value from a variable, file or pipe, which usually is one that got lost
    #[arg(long)]
    pub(crate) allow_empty: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// Shows the values
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Shows an earlier version
    #[arg(long = "version", value_name = "N", value_parser = whole::<u64>)]
    pub(crate) at_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// The property's name
    #[arg(value_name = "NAME")]
    pub(crate) property: String,
    /// Takes the value of an earlier version, also of a connector that is deleted now
    #[arg(long = "version", value_name = "N", value_parser = whole::<u64>)]
    pub(crate) at_version: Option<u64>,
    /// How the value is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FormatArg,
    /// Ends it with a line break
    #[arg(long)]
    pub(crate) newline: bool,
    /// Writes to a new file that only you can read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum FormatArg {
    /// As it is
    #[default]
    Raw,
    /// A JSON string
    Json,
    /// NAME="...", a line of a dotenv file
    Env,
    /// NAME='...', an assignment of a POSIX shell
    Shell,
    /// Base64 with padding
    Base64,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Sets a variable to the value of a property; repeatable
    #[arg(long, value_name = "NAME=ID/PROPERTY")]
    pub(crate) env: Vec<String>,
    /// Sets a variable for each property of a connector, of the property's name
    #[arg(long, value_name = "ID")]
    pub(crate) all: Option<String>,
    /// Begins the names of these variables
    #[arg(long, value_name = "P", requires = "all")]
    pub(crate) prefix: Option<String>,
    /// Sets the variables of a dotenv file, or - for standard input; references in it are replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// The program and its arguments, behind --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// The version to compare from
    #[arg(value_name = "V1", value_parser = whole::<u64>)]
    pub(crate) from: u64,
    /// The version to compare to
    #[arg(value_name = "V2", value_parser = whole::<u64>)]
    pub(crate) to: u64,
    /// Shows the values
    #[arg(long)]
    pub(crate) reveal: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Files with the action's JSON document, or with one on each line; - for standard input
    #[arg(required = true, value_name = "ACTION")]
    pub(crate) actions: Vec<PathBuf>,
    /// Shows what would change and writes nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Carries out all documents in one commit, or none of them
    #[arg(long)]
    pub(crate) atomic: bool,
    /// Gives a token a value that is no secret: command lines can be read by others; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Tokens")]
    pub(crate) token: Vec<String>,
    /// Gives a token the value of an environment variable; repeatable
    #[arg(long, value_name = "NAME=VARIABLE", help_heading = "Tokens")]
    pub(crate) token_env: Vec<String>,
    /// Gives a token the text of a file; the end of its only line is left out; repeatable
    #[arg(long, value_name = "NAME=FILE", help_heading = "Tokens")]
    pub(crate) token_file: Vec<String>,
    /// Gives a token a random value that nobody sees, as --set-random of `add` does; repeatable
    #[arg(long, value_name = "NAME[=LENGTH[:ALPHABET]]", help_heading = "Tokens")]
    pub(crate) token_random: Vec<String>,
    /// Takes tokens from a JSON object of strings, or - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Tokens")]
    pub(crate) tokens: Option<PathBuf>,
    /// Takes brackets as text
    #[arg(long, help_heading = "Tokens")]
    pub(crate) no_tokens: bool,
    /// Only if the connector is at this version
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub(crate) if_version: Option<u64>,
    /// The same request again changes nothing and gives the first outcome
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// What null as a value means: an error, or that the property is removed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) null: NullArg,
    /// What becomes of a stored JSON object: it is replaced, or the new one is merged into it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) nested: NestedArg,
    /// Takes a value such as *** for a value
    #[arg(long)]
    pub(crate) allow_mask: bool,
    /// Takes an empty value from a token, variable, file or pipe, which usually is one that got lost
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// A note that is kept with the version; not secret
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// The group in which the action creates connectors: `default` if left out
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Says that the action's Condition was evaluated, and held
    #[arg(long)]
    pub(crate) condition_met: bool,
    /// Tests connectors, for Connectors.Test: the command reads the connector's JSON, with its values,
    /// and ends with 0 if the connector works; else its standard error says why not
    #[arg(long, value_name = "COMMAND")]
    pub(crate) test_with: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TokensArgs {
    /// The action's JSON document, or - for standard input
    pub(crate) action: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum NullArg {
    #[default]
    Reject,
    Remove,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum NestedArg {
    #[default]
    Replace,
    Merge,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// The version whose properties become the present ones
    #[arg(value_name = "VERSION", value_parser = whole::<u64>)]
    pub(crate) to_version: u64,
}

#[derive(Debug, Args)]
pub(crate) struct UndeleteArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// Brings an earlier version back than the newest before it was deleted
    #[arg(long = "version", value_name = "N", value_parser = whole::<u64>)]
    pub(crate) at_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// The name of the group that it goes to
    #[arg(long, value_name = "GROUP")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArgs,
    /// Its new name, for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its new type, for the platform
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: Option<String>,
    /// When its values expire, in UTC: 2027-01-31, 2027-01-31T12:00:00Z, or none
    #[arg(long, value_name = "DATE|none", value_parser = expires)]
    pub(crate) expires: Option<Expires>,
    /// What it is for; an empty text removes that
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// A tag; all that are given replace those that it has, and an empty one alone leaves it none; repeatable
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Says something else that everybody who lists the connector may read; without a text it is removed; repeatable
    #[arg(long, value_name = "NAME=[TEXT]")]
    pub(crate) meta: Vec<String>,
}

/// When a connector expires.
#[derive(Clone, Debug)]
pub(crate) enum Expires {
    Never,
    At(Timestamp),
}

fn expires(text: &str) -> Result<Expires, String> {
    match text {
        "none" => Ok(Expires::Never),
        text => moment(text)
            .map(Expires::At)
            .map_err(|expected| format!("{expected}, or none")),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The file that `export` or another tool wrote, or - for standard input
    pub(crate) file: PathBuf,
    /// Which tool wrote the file; without it, the file shows it
    #[arg(long, value_name = "KIND", value_parser = kind())]
    pub(crate) from: Option<Kind>,
    /// What becomes of a connector whose id the vault has already: nothing is imported, it stays as it is, or the
    /// properties are merged into it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) on_conflict: OnConflictArg,
    /// The group in which connectors are created: `default` if left out
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Shows what would be imported and writes nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Takes values such as *** for values
    #[arg(long)]
    pub(crate) allow_mask: bool,
    /// A file with the key or password by which the tool has encrypted its export, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "source_key_env")]
    pub(crate) source_key_file: Option<PathBuf>,
    /// The environment variable with that key or password
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) source_key_env: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum OnConflictArg {
    #[default]
    Fail,
    Skip,
    Update,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Says that the values shall be written in clear
    #[arg(long, required = true)]
    pub(crate) reveal: bool,
    /// Writes to a new file that only you can read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LabelArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The grant's label
    pub(crate) label: String,
}

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// What the grant is called
    #[arg(long)]
    pub(crate) label: String,
    /// What it permits: a role in all groups, or in one; repeatable
    #[arg(long, required = true, value_name = "ROLE[:GROUP]", value_parser = right)]
    pub(crate) right: Vec<Right>,
    /// A date to be reminded of; nothing happens then by itself
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) until: Option<Timestamp>,
    /// The public key to grant it to, or a file with it; without it, a new passphrase is asked for
    #[arg(long, value_name = "KEY|@FILE")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

/// A new grant, or what becomes of one: the arguments of `grant` stand beside a command of its own.
#[derive(Debug)]
pub(crate) enum GrantOrRenewArgs {
    New(GrantArgs),
    Renew(RenewArgs),
}

impl Args for GrantOrRenewArgs {
    fn augment_args(command: Command) -> Command {
        let command = GrantArgs::augment_args(command);
        GrantCommand::augment_subcommands(command)
            .subcommand_required(false)
            .arg_required_else_help(false)
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GrantOrRenewArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some(_) => {
                let GrantCommand::Renew(args) = GrantCommand::from_arg_matches(matches)?;
                Ok(Self::Renew(args))
            }
            None => GrantArgs::from_arg_matches(matches).map(Self::New),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct RenewArgs {
    #[command(flatten)]
    pub(crate) grant: LabelArgs,
    /// The public key of its holder's new identity, or a file with it
    #[arg(long, value_name = "KEY|@FILE", conflicts_with = "out")]
    pub(crate) to: Option<String>,
    /// Makes the new identity, and writes it to this file and its public key to one with `.pub` behind; without --out
    /// and --to a new passphrase is asked for
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RightsArgs {
    #[command(flatten)]
    pub(crate) grant: LabelArgs,
    /// What it permits from now on: a role in all groups, or in one; repeatable. Without it the rights stay
    #[arg(long, value_name = "ROLE[:GROUP]", value_parser = right, required_unless_present = "until")]
    pub(crate) right: Vec<Right>,
    /// Another date to be reminded of, or none
    #[arg(long, value_name = "DATE|none", value_parser = date_or_none)]
    pub(crate) until: Option<UntilArg>,
}

#[derive(Clone, Debug)]
pub(crate) enum UntilArg {
    Never,
    At(Timestamp),
}

fn date_or_none(text: &str) -> Result<UntilArg, String> {
    match text {
        "none" => Ok(UntilArg::Never),
        text => match moment(text) {
            Ok(until) => Ok(UntilArg::At(until)),
            Err(expected) => Err(format!("none or {expected}")),
        },
    }
}

#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The group's name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct GroupRenameArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The group's name
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// Its new name
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
}

#[derive(Debug, Args)]
pub(crate) struct GroupRemoveArgs {
    #[command(flatten)]
    pub(crate) group: GroupArgs,
    /// The group in which deleted ids of the group stay deleted; its members see them from then on
    #[arg(long, value_name = "GROUP")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Lists only the connectors of this group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PasswdArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    #[command(flatten)]
    pub(crate) cost: CostArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeyListArgs {
    /// The vault's file
    #[arg(value_name = "VAULT")]
    pub(crate) path: PathBuf,
    /// The vault must have this id
    #[arg(long, value_name = "ID")]
    pub(crate) vault_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeyAddArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// Tells which key is meant, in clear: text, or base64url: and bytes
    #[arg(long, value_name = "HINT", default_value = "")]
    pub(crate) hint: String,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRemoveArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    #[command(flatten)]
    pub(crate) which: KeySlotArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct KeySlotArgs {
    /// Removes the key slots with this hint, as `key list` shows it
    #[arg(long, value_name = "HINT")]
    pub(crate) hint: Option<String>,
    /// Removes this key slot, as `key list` shows it
    #[arg(long, value_name = "SLOT")]
    pub(crate) slot: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// How many versions of each connector to keep
    #[arg(long, value_name = "N", default_value_t = limits::VERSIONS_KEPT as u64,
          value_parser = positive)]
    pub(crate) keep: u64,
}

#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The connectors whose former versions go; all of them if left out
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Does not ask; needed where there is no terminal
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The other copy, which stays as it is
    #[arg(value_name = "THEIRS")]
    pub(crate) theirs: PathBuf,
    /// Whose side wins where both changed the same; newest goes by the authors' clocks
    #[arg(long, value_enum)]
    pub(crate) resolve: Option<ResolveArg>,
    /// Shows what would change and writes nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// Takes over what grants wrote that OURS does not list
    #[arg(long)]
    pub(crate) accept_strangers: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ResolveArg {
    Ours,
    Theirs,
    Newest,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
    /// The new file to write
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Also takes over newer versions that do not stand in their place: they may have been discarded
    #[arg(long)]
    pub(crate) elsewhere: bool,
    /// Goes on where a newer header may have stood: an older one could bring back revoked grants
    #[arg(long)]
    pub(crate) older_header: bool,
}

/// A right. What was given instead is not told.
fn right(text: &str) -> Result<Right, String> {
    text.parse().map_err(|_| {
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("ROLE or ROLE:GROUP with a role of {}", roles.join(", "))
    })
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|text| text.parse::<Kind>())
}
