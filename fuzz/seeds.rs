//! Writes what the targets begin with, from the vectors, to `fuzz/corpus/`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn main() -> std::io::Result<()> {
    for (name, vector) in vectors("format")? {
        let file = base16ct::lower::decode_vec(vector["file"].as_str().unwrap_or_default());
        write("open", &name, &file.expect("vectors are base16"))?;
    }
    for (name, vector) in vectors("action")?.into_iter().chain(vectors("token")?) {
        let text = match vector["action_text"].as_str() {
            Some(text) => text.to_owned(),
            None => vector["action"].to_string(),
        };
        write("action", &name, text.as_bytes())?;
        let parameters = &vector["action"]["Parameters"];
        let value = &parameters["Properties"][0]["PropertyValue"];
        if let Some(text) = value.as_str().or(parameters["PropertiesJson"].as_str()) {
            write("token", &name, text.as_bytes())?;
        }
    }
    let exports = root().join("../crates/connector-vault-import/tests/exports");
    for kind in fs::read_dir(exports)? {
        let kind = kind?.path();
        if !kind.is_dir() {
            continue;
        }
        for export in fs::read_dir(&kind)? {
            let export = export?.path();
            let name = |path: &Path| {
                path.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned()
            };
            let name = format!("{}-{}", name(&kind), name(&export));
            write("import", &name, &fs::read(export)?)?;
        }
    }
    // What stands behind the vault that `refresh` begins with, in the files that begin like it.
    let formats = vectors("format")?;
    let file = |vector: &Value| vector["file"].as_str().unwrap_or_default().to_owned();
    let minimal = formats.iter().find(|(name, _)| name == "accepted-minimal");
    let minimal = minimal.map(|(_, vector)| file(vector)).unwrap_or_default();
    for (name, vector) in &formats {
        if let Some(tail) = file(vector).strip_prefix(&minimal) {
            let tail = base16ct::lower::decode_vec(tail).expect("vectors are base16");
            write("refresh", name, &tail)?;
        }
    }
    Ok(())
}

fn vectors(folder: &str) -> std::io::Result<Vec<(String, Value)>> {
    let entries = fs::read_dir(root().join("../tests/vectors").join(folder))?;
    entries
        .map(|entry| {
            let path = entry?.path();
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Ok((name, serde_json::from_str(&fs::read_to_string(path)?)?))
        })
        .collect()
}

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = root().join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
