//! A source that has to fetch its bytes.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use connector_vault::source::{Missing, Source, Unread};

/// A file that is stored elsewhere. Only bytes that were fetched are here.
#[derive(Clone)]
pub(crate) struct Remote(Rc<RefCell<State>>);

struct State {
    file: Vec<u8>,
    is_here: Vec<bool>,
}

impl Remote {
    /// A file of which nothing is here.
    pub(crate) fn new(file: Vec<u8>) -> Self {
        let is_here = vec![false; file.len()];
        Self(Rc::new(RefCell::new(State { file, is_here })))
    }

    /// Fetches what is missing; whether none of it was here.
    pub(crate) fn fetch(&self, missing: &Missing) -> bool {
        let mut state = self.0.borrow_mut();
        missing.ranges().iter().all(|range| {
            let here = &mut state.is_here[place(range)];
            let is_new = here.iter().all(|is_here| !is_here);
            here.fill(true);
            is_new
        })
    }

    /// Fetches everything.
    pub(crate) fn fetch_all(&self) {
        self.0.borrow_mut().is_here.fill(true);
    }

    /// All of its bytes, wherever they are.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.0.borrow().file.clone()
    }

    /// How many bytes are here.
    pub(crate) fn here(&self) -> usize {
        let state = self.0.borrow();
        state.is_here.iter().filter(|is_here| **is_here).count()
    }

    /// Nothing is here any more.
    pub(crate) fn forget(&self) {
        self.0.borrow_mut().is_here.fill(false);
    }
}

fn place(range: &Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}

impl Source for Remote {
    fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unread> {
        let state = self.0.borrow();
        let absent = range
            .clone()
            .filter(|at| state.is_here.get(*at as usize) != Some(&true));
        let missing = Missing::from_iter(absent.map(|at| at..at + 1));
        match missing.ranges() {
            [] => {
                out.extend_from_slice(&state.file[place(&range)]);
                Ok(())
            }
            _ => Err(missing.into()),
        }
    }

    fn file_len(&self) -> u64 {
        self.0.borrow().file.len() as u64
    }

    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        let mut state = self.0.borrow_mut();
        state.file.truncate(at as usize);
        state.file.extend_from_slice(&bytes);
        let len = state.file.len();
        state.is_here.truncate(at as usize);
        state.is_here.resize(len, false);
    }
}
