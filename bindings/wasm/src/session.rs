//! The loop around a change: what the core's session asks for becomes an object that `bindings/js` carries out.

use connector_vault::{self as core, Answer, Ask, Brought, Code, ConnectorId, Error, LogEnd};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Result;
use crate::host::Host;
use crate::input;
use crate::json::document;
use crate::object::{object, set};
use crate::plan::Prepared;
use crate::source::Arrays;
use crate::vault::Vault;

/// What happens to an open vault and its storage, one operation after the other.
#[wasm_bindgen]
pub struct Session(core::Session);

#[wasm_bindgen]
impl Session {
    /// A session with an open vault. `known`: the newest head of it that stays, in JSON, as far as was remembered.
    #[wasm_bindgen(constructor)]
    pub fn new(known: Option<String>) -> Result<Session> {
        let known = known.as_deref().map(core::KnownHead::parse).transpose()?;
        Ok(Self(core::Session::new(known)))
    }

    /// The newest head that stays, as JSON of docs/format.md section 9.
    pub fn known(&self) -> Option<String> {
        self.0.known().map(document)
    }

    /// Begins to take what others have stored.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn refresh(&mut self, vault: &Vault) -> JsValue {
        shown(self.0.refresh(&vault.0))
    }

    /// Begins to decide which head stays of a vault that was read just now.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn settle(&mut self, vault: &Vault) -> JsValue {
        shown(self.0.settle(&vault.0))
    }

    /// Begins a change.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn write(&mut self, vault: &Vault) -> JsValue {
        shown(self.0.write(&vault.0))
    }

    /// Goes on with an answer that is a word.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn next(
        &mut self,
        vault: &mut Vault,
        #[wasm_bindgen(unchecked_param_type = "Answer")] answer: &str,
    ) -> Result<JsValue> {
        let answer = match answer {
            "same" => Answer::Same,
            "stays" => Answer::Stays(true),
            "mayBeWithdrawn" => Answer::Stays(false),
            "stored" => Answer::Stored,
            "conflict" => Answer::Conflict,
            "unsure" => Answer::Unsure,
            "waited" => Answer::Waited,
            "mayCompact" => Answer::MayCompact(true),
            "mayNotCompact" => Answer::MayCompact(false),
            "remembered" => Answer::Remembered,
            "failed" => Answer::Failed,
            _ => return Err(Error::new(Code::Internal, "no answer has this name").into()),
        };
        self.answer(vault, answer)
    }

    /// Goes on: the stored bytes have this behind the log.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn grown(&mut self, vault: &mut Vault, tail: &Uint8Array) -> Result<JsValue> {
        self.answer(vault, Answer::Grown(input::file(tail)?))
    }

    /// Goes on: the stored bytes are another file.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn replaced(&mut self, vault: &mut Vault, file: Uint8Array) -> Result<JsValue> {
        self.answer(vault, Answer::Replaced(file.into()))
    }

    /// Goes on with a change that is ready to be stored, and says what will have become of it.
    #[wasm_bindgen(unchecked_return_type = "Ask & { readonly outcomes: string }")]
    pub fn prepared(&mut self, vault: &mut Vault, prepared: Prepared) -> Result<JsValue> {
        let outcomes = prepared.outcomes();
        let ask = self.answer(vault, Answer::Prepared(prepared.prepared))?;
        set(&ask, "outcomes", &outcomes.into());
        Ok(ask)
    }

    /// Prepares the compaction that the session wants, and goes on with it. The change succeeds even if the
    /// compaction fails.
    #[wasm_bindgen(unchecked_return_type = "Ask")]
    pub fn compaction(&mut self, vault: &mut Vault, now: &str) -> Result<JsValue> {
        let mut host = Host::new(now)?;
        let prepared = vault.0.prepare_own_compaction(&mut host.get());
        let answer = prepared.map_or(Answer::Failed, Answer::Prepared);
        self.answer(vault, answer)
    }
}

impl Session {
    fn answer(&mut self, vault: &mut Vault, answer: Answer<Arrays>) -> Result<JsValue> {
        let ask = shown(self.0.next(&mut vault.0, answer)?);
        match self.0.take_brought() {
            Brought::Nothing => {}
            Brought::Versions(ids) => {
                let ids = ids.iter().map(ConnectorId::as_str).map(JsValue::from_str);
                set(&ask, "brought", &ids.collect::<Array>());
            }
            Brought::Anything => set(&ask, "brought", &"anything".into()),
        }
        Ok(ask)
    }
}

/// The object of what the session asks for: `shapes.ts` declares it.
fn shown(ask: Ask<'_>) -> JsValue {
    let asked = |wanted: &str, bytes: Option<&[u8]>, end: Option<&LogEnd>| {
        let object = object([("wanted", wanted.into())]);
        if let Some(bytes) = bytes {
            set(&object, "bytes", &Uint8Array::from(bytes));
        }
        if let Some(end) = end {
            set(&object, "end", &log_end(end));
        }
        object
    };
    match ask {
        Ask::CatchUp(end) => asked("catchUp", None, Some(&end)),
        Ask::Settle(end) => asked("settle", None, Some(&end)),
        Ask::Prepare => asked("prepare", None, None),
        Ask::Append(commit, end) => asked("append", Some(commit), Some(&end)),
        Ask::Replace(file, end) => asked("replace", Some(file), Some(&end)),
        Ask::Sync(end) => asked("sync", None, Some(&end)),
        Ask::Wait(most) => object([
            ("wanted", "wait".into()),
            ("most", JsValue::from_f64(most as f64)),
        ]),
        Ask::MayCompact => asked("mayCompact", None, None),
        Ask::PrepareCompaction => asked("prepareCompaction", None, None),
        Ask::Compact(file, end) => asked("compact", Some(file), Some(&end)),
        Ask::Remember { known, over } => object([
            ("wanted", "remember".into()),
            ("known", document(&known).into()),
            ("over", over.into()),
        ]),
        Ask::Done(_) => asked("done", None, None),
        // What it has no name for, nobody can carry out.
        _ => asked("fail", None, None),
    }
}

fn log_end(end: &LogEnd) -> JsValue {
    let marks = Array::new();
    for (offset, bytes) in &end.marks {
        marks.push(&object([
            ("offset", JsValue::from_f64(*offset as f64)),
            ("bytes", Uint8Array::from(bytes.as_slice()).into()),
        ]));
    }
    object([
        ("start", Uint8Array::from(end.start.as_slice()).into()),
        ("marks", marks.into()),
        ("end", JsValue::from_f64(end.end as f64)),
        ("torn", JsValue::from_f64(end.torn as f64)),
    ])
}
