//! An open vault on its way to another thread: opening is the work of one thread, and a page that
//! must not wait leaves it to a worker.

use zeroize::Zeroizing;

use super::{OpenOptions, by_identity};
use crate::access::BrokenKeySlot;
use crate::bytes::Reader;
use crate::crypto::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::format::to_json;
use crate::json::strict::{self, Listed, Read, Reader as JsonReader, Strict, object};
use crate::log::{Continuity, TornTail};
use crate::vault::{OpenReport, Vault};

/// An open vault as bytes, between two threads of one program. It is no form to keep: the report of the opening is
/// believed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Detached {
    /// The vault's file, without a torn tail.
    pub file: Vec<u8>,
    /// What opening has found: the identity that opened it, and the report. As
    /// secret as the identity.
    pub state: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Detached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Detached({} bytes, ..)", self.file.len())
    }
}

impl Detached {
    /// What another thread got from [`Vault::detach`].
    #[must_use]
    pub fn new(file: Vec<u8>, state: Vec<u8>) -> Self {
        Self {
            file,
            state: Zeroizing::new(state),
        }
    }
}

impl Vault {
    /// Leaves this thread, for [`attach`](Self::attach) on another.
    ///
    /// ```
    /// # use connector_vault::*;
    /// # use rand::{SeedableRng, rngs::StdRng};
    /// # let mut rng = StdRng::seed_from_u64(1);
    /// # let mut host = Host { now: Timestamp::new("2026-11-23T20:15:00.000Z")?, rng: &mut rng };
    /// # let passphrase = Passphrase::new("correct horse battery staple")?;
    /// # let owner = NewOwner::passphrase("ops", &passphrase).cost(Cost::MIN);
    /// # let file = Vault::create(&mut host, &owner)?.1;
    /// let worker = std::thread::spawn(move || {
    ///     Ok(Vault::open(file, Unlock::Passphrase(&passphrase), &OpenOptions::default())?.detach())
    /// });
    /// let detached = worker.join().expect("opening does not panic");
    /// let vault = Vault::attach(detached?)?;
    /// assert_eq!(vault.label(), "ops");
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn detach(self) -> Detached {
        let report = to_json(&self.report);
        // The whole length at once: a buffer that grew would leave copies behind.
        let mut state = Zeroizing::new(Vec::with_capacity(32 + report.len()));
        state.extend_from_slice(self.access.identity.as_bytes());
        state.extend_from_slice(&report);
        Detached {
            file: self.source.into_file(self.index.end()),
            state,
        }
    }

    /// Goes on with a vault that another thread of this program has opened.
    ///
    /// Fails with `damaged` or `internal` if these are not the bytes that it got from
    /// [`detach`](Self::detach); but it trusts them as it trusts memory, so take them from nowhere else.
    pub fn attach(detached: Detached) -> Result<Self> {
        let Detached { file, state } = detached;
        let mut reader = Reader::new(&state, 0);
        let identity = Identity::from_bytes(*reader.array("the identity")?);
        let report = std::str::from_utf8(reader.rest()).ok();
        let report: Option<OpenReport> = report.and_then(|report| strict::read(report).ok());
        let report = report
            .ok_or_else(|| Error::new(Code::Internal, "the report of the opening is damaged"))?;
        let mut vault = Self::load(file, &OpenOptions::default(), by_identity(identity))?;
        vault.torn_len = report.torn.map_or(0, |torn| torn.len);
        vault.report = report;
        Ok(vault)
    }
}

object!(OpenReport {
    "continuity" => continuity,
    "torn" => torn,
    "broken_key_slots" => broken_key_slots,
});

impl Strict<'_> for Continuity {
    fn read(reader: &mut JsonReader<'_>) -> Read<Self> {
        reader.word(|word| match word {
            "first_seen" => Some(Self::FirstSeen),
            "continues" => Some(Self::Continues),
            "unverifiable" => Some(Self::Unverifiable),
            _ => None,
        })
    }
}

object!(TornTail { "offset" => offset, "len" => len, });

object!(BrokenKeySlot { "label" => label, "reason" => reason, });

// The report is of this program: it is as long as the file made it.
impl Listed for BrokenKeySlot {
    const COUNT_MAX: usize = usize::MAX;
}
