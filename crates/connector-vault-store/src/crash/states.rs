//! What a power failure may leave of calls that were made: a model of a disk behind a cache.
//!
//! A call that was not synced may have reached the disk or not. *Strict*: each change of a folder by
//! itself, whatever the order, and each block of 512 bytes of a file by itself; only what POSIX
//! promises is relied on. *Ordered*: changes of folders in their order, and any sync takes all of
//! them along, as journals do it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::disk::record::{Event, FileId};

/// What disks write at once.
const BLOCK: usize = 512;
/// So many blocks of a file are missing or there one by one.
const BLOCKS_MAX: usize = 24;
/// As many changes of folders are taken in every combination.
const COMBINED_MAX: usize = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Strict,
    Ordered,
}

/// Files as a process sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    names: BTreeMap<PathBuf, FileId>,
    data: BTreeMap<FileId, Vec<u8>>,
}

/// Files after a power failure: names and bytes.
pub(super) type State = BTreeMap<PathBuf, Content>;

/// Bytes that many states share, and their digest.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) bytes: Rc<[u8]>,
    digest: [u8; 32],
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        Self {
            digest: Sha256::digest(bytes).into(),
            bytes: bytes.into(),
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Content {}

impl Hash for Content {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Disk {
    /// All files below a folder.
    pub(super) fn of(root: &Path) -> Self {
        let mut disk = Self::default();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let id = FileId::try_from(disk.data.len()).unwrap();
                    disk.data.insert(id, fs::read(&path).unwrap());
                    disk.names.insert(path, id);
                }
            }
        }
        disk
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = (PathBuf, FileId)> {
        self.names.iter().map(|(path, id)| (path.clone(), *id))
    }

    /// After calls, without a failure.
    pub(super) fn after(&self, events: &[Event]) -> Self {
        let mut disk = self.clone();
        for event in events {
            rename(&mut disk.names, event);
            change(&mut disk.data, event);
        }
        disk
    }

    pub(super) fn state(&self) -> State {
        let names = self.names.iter();
        names
            .map(|(path, id)| (path.clone(), Content::new(&self.data[id])))
            .collect()
    }
}

/// What an event does to the names.
fn rename(names: &mut BTreeMap<PathBuf, FileId>, event: &Event) {
    match event {
        Event::Create {
            file,
            path: Some(path),
        }
        | Event::Link { file, path } => {
            names.insert(path.clone(), *file);
        }
        Event::Rename { file, from, to } => {
            names.remove(from);
            names.insert(to.clone(), *file);
        }
        Event::Remove { path } => {
            names.remove(path);
        }
        _ => {}
    }
}

/// What an event does to the bytes.
fn change(data: &mut BTreeMap<FileId, Vec<u8>>, event: &Event) {
    match event {
        Event::Create { file, .. } => {
            data.insert(*file, Vec::new());
        }
        Event::Write { file, at, bytes } => {
            let (at, data) = (
                usize::try_from(*at).unwrap(),
                data.entry(*file).or_default(),
            );
            data.resize(data.len().max(at + bytes.len()), 0);
            data[at..at + bytes.len()].copy_from_slice(bytes);
        }
        Event::SetLen { file, len } => {
            let len = usize::try_from(*len).unwrap();
            data.entry(*file).or_default().resize(len, 0);
        }
        _ => {}
    }
}

/// The folder whose entries an event changes.
fn folder(event: &Event) -> Option<&Path> {
    match event {
        Event::Create { path, .. } => path.as_deref()?.parent(),
        Event::Link { path, .. } | Event::Remove { path } => path.parent(),
        Event::Rename { to, .. } => to.parent(),
        _ => None,
    }
}

/// What of the calls has reached the disk for certain, and what may have.
#[derive(Default)]
struct Cached {
    names: BTreeMap<PathBuf, FileId>,
    names_pending: Vec<Event>,
    data: BTreeMap<FileId, Vec<u8>>,
    data_pending: BTreeMap<FileId, Vec<Event>>,
}

impl Cached {
    fn new(start: &Disk, events: &[Event], model: Model) -> Self {
        let mut cached = Self {
            names: start.names.clone(),
            data: start.data.clone(),
            ..Self::default()
        };
        for event in events {
            match event {
                Event::Sync { file } => {
                    for event in cached.data_pending.remove(file).unwrap_or_default() {
                        change(&mut cached.data, &event);
                    }
                    if model == Model::Ordered {
                        cached.sync_names(|_| true);
                    }
                }
                Event::SyncDir { dir } => {
                    cached.sync_names(|folder| model == Model::Ordered || folder == dir);
                }
                Event::Write { file, .. } | Event::SetLen { file, .. } => {
                    let pending = cached.data_pending.entry(*file).or_default();
                    pending.push(event.clone());
                }
                _ => {
                    if let Event::Create { file, .. } = event {
                        // The number may have been that of a file that never had a name.
                        cached.data.insert(*file, Vec::new());
                        cached.data_pending.remove(file);
                    }
                    if folder(event).is_some() {
                        cached.names_pending.push(event.clone());
                    }
                }
            }
        }
        cached
    }

    fn sync_names(&mut self, of: impl Fn(&Path) -> bool) {
        let pending = std::mem::take(&mut self.names_pending);
        for event in pending {
            match folder(&event) {
                Some(folder) if of(folder) => rename(&mut self.names, &event),
                _ => self.names_pending.push(event),
            }
        }
    }

    /// The names that a failure may leave.
    fn namespaces(&self, model: Model) -> Vec<BTreeMap<PathBuf, FileId>> {
        let count = self.names_pending.len();
        let prefixes = (0..=count).map(|len| (0..len).collect::<Vec<_>>());
        let all = 0..count;
        let chosen: Vec<Vec<usize>> = match model {
            Model::Ordered => prefixes.collect(),
            Model::Strict if count <= COMBINED_MAX => (0..1_u32 << count)
                .map(|set| all.clone().filter(|each| set >> each & 1 == 1).collect())
                .collect(),
            Model::Strict => prefixes
                .chain(
                    all.clone()
                        .map(|out| all.clone().filter(|each| *each != out).collect()),
                )
                .chain(all.clone().map(|only| vec![only]))
                .collect(),
        };
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for chosen in chosen {
            let mut names = self.names.clone();
            for index in chosen {
                rename(&mut names, &self.names_pending[index]);
            }
            // In the order of the calls: names are random in part, and every run is to be the same.
            if seen.insert(names.clone()) {
                found.push(names);
            }
        }
        found
    }

    /// The contents that a failure may leave of a file; the first is that of the cache.
    fn contents(&self, file: FileId, random: &mut Random) -> Vec<Content> {
        let base = &self.data[&file];
        let pending = self.data_pending.get(&file).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        let mut contents = BTreeMap::from([(file, base.clone())]);
        for event in pending {
            found.push(contents[&file].clone());
            change(&mut contents, event);
        }
        let full = contents.remove(&file).unwrap_or_default();
        if pending.is_empty() {
            return vec![Content::new(&full)];
        }
        found.insert(0, full.clone());
        if full.len() < base.len() {
            // The length is part of the file's metadata, and may stay behind.
            let mut longer = full;
            longer.resize(base.len(), 0);
            found.push(longer);
        } else {
            found.extend(torn(base, &full, random));
        }
        let mut seen = HashSet::new();
        let found = found.iter().map(|bytes| Content::new(bytes));
        found
            .filter(|content| seen.insert(content.clone()))
            .collect()
    }
}

/// What may be there of a file that grew or was written over: each block is old or new, the length too.
fn torn(base: &[u8], full: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let len = full.len();
    let block_of = |bytes: &[u8], block: usize| -> Vec<u8> {
        let from = (block * BLOCK).min(bytes.len());
        let mut content = bytes[from..(from + BLOCK).min(bytes.len())].to_vec();
        content.resize(BLOCK, 0);
        content
    };
    let blocks: Vec<usize> = (0..len.div_ceil(BLOCK))
        .filter(|block| block_of(base, *block) != block_of(full, *block))
        .collect();
    let with = |present: &dyn Fn(usize) -> bool| {
        let mut content = base.to_vec();
        content.resize(len, 0);
        for (number, block) in blocks.iter().enumerate() {
            if present(number) {
                let range = block * BLOCK..((block + 1) * BLOCK).min(len);
                content[range.clone()].copy_from_slice(&full[range]);
            }
        }
        content
    };
    let mut found = Vec::new();
    // Of a long file, some.
    let step = blocks.len().div_ceil(BLOCKS_MAX).max(1);
    for until in (0..=blocks.len()).step_by(step) {
        let prefix = with(&|number| number < until);
        if let Some(block) = blocks.get(until) {
            found.push(prefix[..(block * BLOCK).clamp(base.len(), len)].to_vec());
        }
        found.push(prefix);
    }
    for one in (0..blocks.len()).step_by(step) {
        found.push(with(&|number| number != one));
        found.push(with(&|number| number == one));
    }
    for _ in 0..4 {
        let set = random.next();
        found.push(with(&|number| set >> (number % 64) & 1 == 1));
    }
    if base.is_empty() {
        // Written by one call: the length is none or all.
        return found;
    }
    // Where the file system reserves whole pages.
    for mut content in [base.to_vec(), full.to_vec()] {
        content.resize(content.len() / 4096 * 4096 + 4096, 0);
        found.push(content);
    }
    let grown = len - base.len();
    for cut in [
        1,
        7,
        58,
        59,
        60,
        100,
        grown.saturating_sub(8),
        grown.saturating_sub(1),
    ] {
        found.push(full[..base.len() + cut.min(grown)].to_vec());
    }
    found
}

/// Numbers that repeat in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// xorshift64.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let index = self.next() % among.len() as u64;
        &among[usize::try_from(index).unwrap()]
    }
}

/// The states that a power failure after these calls may leave, `most` of them, none twice.
pub(super) fn states(
    start: &Disk,
    events: &[Event],
    model: Model,
    most: usize,
    random: &mut Random,
) -> Vec<State> {
    let cached = Cached::new(start, events, model);
    let files = cached.data.keys();
    let contents: BTreeMap<FileId, Vec<Content>> = files
        .map(|file| (*file, cached.contents(*file, random)))
        .collect();
    let mut seen = HashSet::new();
    let mut states = Vec::new();
    let mut add = |names: &BTreeMap<PathBuf, FileId>, content: &dyn Fn(FileId) -> Content| {
        let state: State = names
            .iter()
            .map(|(path, file)| (path.clone(), content(*file)))
            .collect();
        if seen.insert(digest(&state)) {
            states.push(state);
        }
    };
    for names in cached.namespaces(model) {
        let cache = |file: FileId| contents[&file][0].clone();
        add(&names, &cache);
        let named: BTreeSet<FileId> = names.values().copied().collect();
        for one in &named {
            for content in &contents[one][1..] {
                add(&names, &|file| match file == *one {
                    true => content.clone(),
                    false => cache(file),
                });
            }
        }
        for _ in 0..6 {
            let mixed: BTreeMap<FileId, &Content> = named
                .iter()
                .map(|file| (*file, random.of(&contents[file])))
                .collect();
            add(&names, &|file| mixed[&file].clone());
        }
    }
    let step = states.len().div_ceil(most).max(1);
    states.into_iter().step_by(step).collect()
}

pub(super) fn digest(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}
