//! Opening a vault in steps, for hosts that must not wait (docs/format.md section 7).

use std::collections::BTreeSet;
use std::fmt;

use super::{Found, OpenOptions, require_expectation};
use crate::access::{self, Access, Bounds, BrokenKeySlot, KeySlotInfo, Unlock, Way};
use crate::crypto::kdf::{Derivation, Stretched};
use crate::error::{Code, Error, Result};
use crate::format::hex::VaultId;
use crate::format::mangled;
use crate::log::{self, Continuity, Vouching};
use crate::source::{Missing, Source};
use crate::vault::index::{Index, IndexKeys, OpenPage, Origin, Pending, Reading};
use crate::vault::record::RecordKeys;
use crate::vault::{OpenReport, Vault};

/// Commits of one step: their fronts are hashed, or their pages opened.
const COMMITS_OF_A_STEP: usize = 128;
/// Signatures that one step verifies.
const SIGNATURES_OF_A_STEP: usize = 4;
/// Pages of the snapshot that one step opens.
const PAGES_OF_A_STEP: usize = 4;

/// The opening of a vault whose file is in a source. It reads what it uses: the start of the file, the snapshot up to its
/// signature, the fronts of the commits behind the snapshot, and the pages that these name.
///
/// Each step does a bounded amount of work, so that a page which opens a vault stays alive. The machine does no input or
/// output, and it runs no Argon2id for a [passphrase whose keys are derived elsewhere](crate::Passphrase::outside).
///
/// ```
/// # use connector_vault::*;
/// # use rand::{SeedableRng, rngs::StdRng};
/// # let mut rng = StdRng::seed_from_u64(1);
/// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
/// # let identity = Identity::generate(host.rng);
/// # let file = Vault::create(&mut host, &NewOwner::identity("ops", identity.clone()))?.1;
/// let file = source::Memory::from(file);
/// let mut opening = Opening::new(file, Unlock::Identity(&identity), OpenOptions::default());
/// let vault = loop {
///     match opening.step()? {
///         // The vault is not opened by an identity alone.
///         Step::Identified(vault_id) => opening.options().vault_id = Some(vault_id),
///         Step::More { .. } => {} // let others work
///         Step::Done(vault) => break vault,
///         other => unreachable!("{other:?}: memory never misses, and no passphrase was given"),
///     }
/// };
/// assert_eq!(vault.label(), "ops");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Opening<S> {
    source: Option<S>,
    machine: Machine,
}

/// What an opening has come to.
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "it is made a few times")]
pub enum Step<S> {
    /// These bytes of the file are wanted. Fetch them, and call again.
    Need(Missing),
    /// The header is verified: it is this vault. What is known of it can be said now, by [`Opening::options`].
    Identified(VaultId),
    /// Argon2id has to run. Hand in the result by [`Opening::derived`].
    Derive(Derivation),
    /// There is more to do; so many bytes of the file are done, of so many.
    More {
        /// The bytes that are done.
        done: u64,
        /// All of them.
        of: u64,
    },
    /// The vault is open.
    Done(Vault<S>),
}

/// How far an opening is.
enum Stage {
    Start,
    /// The chain behind the snapshot.
    Chain(Box<Found>),
    KeySlots(Box<Found>),
    Signatures(Box<Authors>),
    Pages(Box<Reached>),
    /// It is done, or has failed.
    Over,
}

struct Authors {
    found: Found,
    continuity: Continuity,
    access: Access,
    broken: Vec<BrokenKeySlot>,
    vouching: Vouching,
}

struct Reached {
    found: Found,
    access: Access,
    report: OpenReport,
    index: Index,
    /// The opened pages of the changes, as far as they are.
    open: Vec<OpenPage>,
    /// The pages of the snapshot that they name.
    wanted: BTreeSet<usize>,
    pending: Pending,
    /// How many commits are checked.
    checked: usize,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "Start",
            Self::Chain(_) => "Chain",
            Self::KeySlots(_) => "KeySlots",
            Self::Signatures(_) => "Signatures",
            Self::Pages(_) => "Pages",
            Self::Over => "Over",
        })
    }
}

impl<S: Source> fmt::Debug for Step<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Need(missing) => write!(f, "Need({:?})", missing.ranges()),
            Self::Identified(vault_id) => write!(f, "Identified({vault_id})"),
            Self::Derive(derivation) => write!(f, "Derive({:?})", derivation.cost),
            Self::More { done, of } => write!(f, "More({done} of {of})"),
            Self::Done(vault) => write!(f, "Done({vault:?})"),
        }
    }
}

impl<S: Source> Opening<S> {
    /// The opening of the file that is in a source.
    pub fn new(source: S, unlock: Unlock<'_>, options: OpenOptions) -> Self {
        Self::by(source, unlock.into(), options)
    }

    pub(crate) fn by(source: S, way: Way, options: OpenOptions) -> Self {
        Self {
            machine: Machine::new(&source, way, options),
            source: Some(source),
        }
    }

    /// What the vault is expected to be. It can be said until the step behind [`Step::Identified`].
    pub fn options(&mut self) -> &mut OpenOptions {
        &mut self.machine.options
    }

    /// What Argon2id has made of the passphrase, for [`Step::Derive`].
    pub fn derived(&mut self, stretched: Stretched) {
        self.machine.way.add(stretched);
    }

    /// Takes the next step.
    ///
    /// Fails as [`Vault::open`] does. An opening that has failed is over.
    pub fn step(&mut self) -> Result<Step<S>> {
        let Some(source) = &self.source else {
            return Err(over());
        };
        Ok(match self.machine.step(source)? {
            Made::Need(missing) => Step::Need(missing),
            Made::Identified(vault_id) => Step::Identified(vault_id),
            Made::Derive(derivation) => Step::Derive(derivation),
            Made::More(done) => Step::More {
                done,
                of: self.machine.len,
            },
            Made::Vault(vault) => {
                let source = self.source.take().ok_or_else(over)?;
                Step::Done(vault.with(source))
            }
        })
    }

    /// Takes the first step, over a source whose bytes never miss: the id of the vault, its header's signature verified.
    pub fn identify(&mut self) -> Result<VaultId> {
        match self.step()? {
            Step::Identified(vault_id) => Ok(vault_id),
            Step::Need(missing) => Err(Error::not_fetched(missing)),
            _ => Err(over()),
        }
    }

    /// Takes all steps, over a source whose bytes never miss.
    pub fn run(mut self) -> Result<Vault<S>> {
        let source = self.source.take().ok_or_else(over)?;
        let vault = self.machine.run(&source)?;
        Ok(vault.with(source))
    }
}

/// The opening, without its source.
#[derive(Debug)]
pub(crate) struct Machine {
    len: u64,
    way: Way,
    options: OpenOptions,
    stage: Stage,
}

impl Machine {
    pub(crate) fn new(source: &dyn Source, way: Way, options: OpenOptions) -> Self {
        Self {
            len: source.file_len(),
            way,
            options,
            stage: Stage::Start,
        }
    }

    /// Takes all steps, over a source whose bytes never miss.
    pub(crate) fn run(&mut self, source: &dyn Source) -> Result<Vault<()>> {
        loop {
            match self.step(source)? {
                Made::Vault(vault) => return Ok(*vault),
                Made::Need(missing) => return Err(Error::not_fetched(missing)),
                Made::Derive(derivation) => return Err(derivation.wanted()),
                Made::Identified(_) | Made::More(_) => {}
            }
        }
    }

    /// The key slots of the vault as its file has them.
    pub(crate) fn key_slots(
        source: &dyn Source,
        options: &OpenOptions,
    ) -> Result<Vec<KeySlotInfo>> {
        let list = || {
            let Found {
                header, key_slots, ..
            } = Found::read(source)?;
            options.check_vault(&header)?;
            let known = options.known.as_ref().map(|known| known.head.vault_id);
            if let Some(expected) = known.filter(|known| *known != header.vault_id) {
                return Err(log::wrong_vault(expected, header.vault_id));
            }
            Ok(access::list(&header, &key_slots, options.memory_kib_max))
        };
        list().map_err(|error| mangled::explain(error, source))
    }

    fn step(&mut self, source: &dyn Source) -> Result<Made> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let stepped = match stage {
            Stage::Start => Self::start(source),
            Stage::Chain(found) => self.chain(source, found),
            Stage::KeySlots(found) => self.unlock(found),
            Stage::Signatures(authors) => self.signatures(authors),
            Stage::Pages(reached) => self.pages(source, reached),
            Stage::Over => Err(over()),
        };
        let (stage, made) = stepped.map_err(|error| mangled::explain(error, source))?;
        self.stage = stage;
        Ok(made)
    }

    fn start(source: &dyn Source) -> Result<(Stage, Made)> {
        let found = match Found::read(source) {
            Ok(found) => found,
            Err(error) => return need(error, Stage::Start),
        };
        let identified = Made::Identified(found.header.vault_id);
        Ok((Stage::Chain(Box::new(found)), identified))
    }

    fn chain(&self, source: &dyn Source, mut found: Box<Found>) -> Result<(Stage, Made)> {
        require_expectation(&self.way, &self.options)?;
        self.options.check_vault(&found.header)?;
        let stage = match found.walk.step(source, COMMITS_OF_A_STEP) {
            Ok(true) => Stage::KeySlots,
            Ok(false) => Stage::Chain,
            Err(error) => return need(error, Stage::Chain(found)),
        };
        let done = Made::More(found.walk.at());
        Ok((stage(found), done))
    }

    fn unlock(&self, found: Box<Found>) -> Result<(Stage, Made)> {
        let Found { header, walk, .. } = &*found;
        let continuity = log::continuity(header, &walk.commits, self.options.known.as_ref())?;
        let mut broken = Vec::new();
        let bounds = Bounds::from(&self.options);
        let access = match self
            .way
            .access(header, &found.key_slots, bounds, &mut broken)
        {
            Ok(access) => access,
            Err(error) => {
                let derivation = Derivation::wanted_by(&error).ok_or(error)?;
                return Ok((Stage::KeySlots(found), Made::Derive(derivation)));
            }
        };
        let authors = Authors {
            vouching: Vouching::of(walk.commits.len()),
            found: *found,
            continuity,
            access,
            broken,
        };
        let stage = Stage::Signatures(Box::new(authors));
        Ok((stage, Made::More(self.len)))
    }

    fn signatures(&self, mut authors: Box<Authors>) -> Result<(Stage, Made)> {
        let Authors {
            found, vouching, ..
        } = &mut *authors;
        let (header, commits) = (&found.header, &found.walk.commits);
        let known = self.options.known.as_ref().map(|known| &known.head);
        if !vouching.step(header, commits, known, SIGNATURES_OF_A_STEP)? {
            return Ok((Stage::Signatures(authors), Made::More(self.len)));
        }
        let Authors {
            found,
            continuity,
            access,
            broken,
            ..
        } = *authors;
        let (vault_id, epoch) = (found.header.vault_id, found.header.epoch);
        let keys = IndexKeys::new(access.bundle.index(), vault_id, epoch);
        let index = Index::begin(keys, found.snapshot())?;
        let report = OpenReport {
            continuity,
            handover: log::has_new_key(&found.header, self.options.known.as_ref()),
            torn: found.walk.torn,
            broken_key_slots: broken,
        };
        let reached = Reached {
            found,
            access,
            report,
            index,
            open: Vec::new(),
            wanted: BTreeSet::new(),
            pending: Pending::default(),
            checked: 0,
        };
        self.pages_of(reached)
    }

    /// A vault without a tail is open now.
    fn pages_of(&self, reached: Reached) -> Result<(Stage, Made)> {
        match reached.checked == reached.found.tail().len() {
            true => Ok((Stage::Over, Made::Vault(Box::new(reached.finish())))),
            false => Ok((Stage::Pages(Box::new(reached)), Made::More(self.len))),
        }
    }

    /// First the pages of the changes, then those of the snapshot that they name, then the rules.
    fn pages(&self, source: &dyn Source, mut reached: Box<Reached>) -> Result<(Stage, Made)> {
        let Reached {
            found,
            index,
            open,
            wanted,
            pending,
            checked,
            ..
        } = &mut *reached;
        let commits = found.tail();
        let reading = Reading {
            keys: &index.keys,
            header: &found.header,
            source,
        };
        let next = commits.iter().skip(open.len()).take(COMMITS_OF_A_STEP);
        if next.len() > 0 {
            for commit in next {
                let page = index.open_page(commit);
                index.pages_before(&page, wanted);
                open.push(page);
            }
        } else if !wanted.is_empty() {
            if let Err(error) = index.use_pages(wanted, &reading, PAGES_OF_A_STEP) {
                return need(error, Stage::Pages(reached));
            }
        } else {
            let next = commits.iter().zip(&*open);
            for (commit, page) in next.skip(*checked).take(COMMITS_OF_A_STEP) {
                index.take(pending, commit, page, 0, &reading, Origin::Other)?;
                *checked += 1;
            }
        }
        self.pages_of(*reached)
    }
}

/// What a stage has made.
enum Made {
    Need(Missing),
    Identified(VaultId),
    Derive(Derivation),
    /// So many bytes of the file are done.
    More(u64),
    Vault(Box<Vault<()>>),
}

/// The stage again, if its bytes are missing.
fn need(error: Error, stage: Stage) -> Result<(Stage, Made)> {
    match error.missing() {
        Some(missing) => Ok((stage, Made::Need(missing.clone()))),
        None => Err(error),
    }
}

fn over() -> Error {
    Error::new(Code::Internal, "the opening is over")
}

impl Reached {
    /// The vault, without its source.
    fn finish(mut self) -> Vault<()> {
        self.index.keep(self.pending);
        let Found {
            start,
            key_slots,
            header,
            walk,
        } = self.found;
        let snapshot = walk.commits.into_iter().next();
        let part = snapshot.as_ref().and_then(|commit| commit.snapshot());
        let (superseded, adopted) = part
            .map(|part| (part.superseded.to_vec(), part.adopted.to_vec()))
            .unwrap_or_default();
        Vault {
            source: (),
            keys: RecordKeys::new(&self.access.bundle, &header),
            start,
            header,
            key_slots,
            superseded,
            adopted,
            access: self.access,
            index: self.index,
            torn_len: self.report.torn.map_or(0, |torn| torn.len),
            report: self.report,
        }
    }
}
