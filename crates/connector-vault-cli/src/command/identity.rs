//! `identity new`: what a service holds instead of a passphrase.

use std::path::Path;

use connector_vault::Identity;
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use super::transfer::write_private;
use crate::failure::Result;
use crate::random;

pub(super) fn new(out: Option<&Path>, context: &Context) -> Result<()> {
    let identity = Identity::generate(&mut random::generator()?);
    let public = identity.grant_key().to_string();
    let secret = identity.to_text();
    let Some(path) = out else {
        if context.output.json {
            return context
                .output
                .document(&json!({"identity": *secret, "public": public}));
        }
        context.output.note(&format!("public key: {public}"));
        return context
            .output
            .raw(&Zeroizing::new(format!("{}\n", *secret)));
    };
    let text = Zeroizing::new(format!(
        "# An identity of cvault. Keep it secret; grant to its public key:\n# {public}\n{}\n",
        *secret
    ));
    write_private(path, text.as_bytes())?;
    context.output.result(
        &json!({"path": path.to_string_lossy(), "public": public}),
        || public.clone(),
    )
}
