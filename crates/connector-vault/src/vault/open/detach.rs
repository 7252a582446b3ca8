//! An open vault on its way to another thread: opening is the work of one thread, and a page that
//! must not wait leaves it to a worker.

use zeroize::Zeroizing;

use crate::access::{Access, BrokenKeySlot};
use crate::bytes::{Reader, put_part};
use crate::crypto::identity::Identity;
use crate::error::{Code, Error, Result};
use crate::format::{PREFIX_LEN, key_slots, split_file, to_json};
use crate::json::strict::{self, Listed, Read, Reader as JsonReader, Strict, object};
use crate::limits;
use crate::log::{self, Continuity, TornTail};
use crate::source::Memory;
use crate::vault::index::{DamagedRecord, Index};
use crate::vault::record::RecordKeys;
use crate::vault::{OpenReport, Vault};

/// An open vault as bytes, between two threads of one program. It is no form to keep: what opening
/// has verified is not verified again.
#[derive(Clone)]
#[non_exhaustive]
pub struct Detached {
    /// The vault's file, without a torn tail.
    pub file: Vec<u8>,
    /// What opening has found: the identity that opened it, where the records stand, the report. As
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
        let index = self.index.detach();
        // The whole length at once: a buffer that grew would leave copies behind.
        let len = 32 + 4 + report.len() + index.len();
        let mut state = Zeroizing::new(Vec::with_capacity(len));
        state.extend_from_slice(self.access.identity.as_bytes());
        put_part(&mut state, &report);
        state.extend_from_slice(&index);
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
        let report = reader.part(limits::REPORT_LEN_MAX, "the report")?;
        let report = std::str::from_utf8(report).ok();
        let report: Option<OpenReport> = report.and_then(|report| strict::read(report).ok());
        let report = report
            .ok_or_else(|| Error::new(Code::Internal, "the report of the opening is damaged"))?;

        let (part, log_start) = split_file(&file)?;
        let key_slots = key_slots::decode(part, PREFIX_LEN as u64)?;
        let snapshot = log::first(&file[log_start..], log::At::file(log_start))?;
        let header = log::verified_header(&snapshot)?;
        let superseded = snapshot.superseded().to_vec();
        let access = Access::open(identity, &header)?;
        let keys = RecordKeys::new(&access.bundle, &header);
        let index = Index::attach(keys, reader, &file, log_start, header.grants.len())?;
        Ok(Self {
            start: file[..log_start].to_vec(),
            source: Memory::from(file),
            header,
            key_slots,
            superseded,
            access,
            index,
            torn_len: report.torn.map_or(0, |torn| torn.len),
            report,
        })
    }
}

object!(OpenReport {
    "continuity" => continuity,
    "torn" => torn,
    "broken_key_slots" => broken_key_slots,
    "damaged" => damaged,
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

object!(DamagedRecord { "seq" => seq, "offset" => offset, "connector" => connector, });

// The report is of this program: it is as long as the file made it.
impl Listed for BrokenKeySlot {
    const COUNT_MAX: usize = usize::MAX;
}

impl Listed for DamagedRecord {
    const COUNT_MAX: usize = usize::MAX;
}
