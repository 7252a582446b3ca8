//! The connectors that every contender keeps: the same at each run, about 435 bytes of JSON each.

use serde::{Deserialize, Serialize};

/// A connector as a program that keeps one typed JSON document would define it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Connector {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) version: u64,
    pub(crate) updated_at: String,
    pub(crate) properties: Vec<Property>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The properties that are credentials; the others need no protection in memory.
pub(crate) const SECRETS: &[&str] = &["APIKey", "AccessToken", "RefreshToken"];

/// The first `count` connectors.
pub(crate) fn connectors(count: usize) -> Vec<Connector> {
    let mut random = Random(0);
    (0..count)
        .map(|index| connector(index, &mut random))
        .collect()
}

fn connector(index: usize, random: &mut Random) -> Connector {
    let services = ["twitter", "salesforce", "slack", "sharepoint"];
    let service = services[index % services.len()];
    let property = |name: &str, value: String| Property {
        name: name.to_owned(),
        value,
    };
    Connector {
        id: format!("{service}-{index:06}"),
        name: format!("{service} of team {}", index % 97),
        type_name: service.to_owned(),
        version: 1,
        updated_at: "2026-11-23T20:15:00.000Z".to_owned(),
        properties: vec![
            property("Endpoint", format!("https://{service}.example/v2")),
            property("APIKey", random.text(24)),
            property("AccessToken", random.text(32)),
            property("RefreshToken", random.text(16)),
            property("Timeout", "30s".to_owned()),
            property("Retries", (index % 10).to_string()),
        ],
    }
}

/// SplitMix64: enough to keep compression honest, and the same everywhere.
struct Random(u64);

impl Random {
    fn text(&mut self, len: usize) -> String {
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
        (0..len)
            .map(|_| char::from(letters[(self.next() % 64) as usize]))
            .collect()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connectors_have_the_size_that_the_tables_state() {
        let json = serde_json::to_vec(&connectors(1_000)).expect("plain data");
        assert!(
            (430..=440).contains(&(json.len() / 1_000)),
            "{}",
            json.len()
        );
    }
}
