//! The published schema is the model's, and says yes to what loads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests, which clippy can't see")]

use std::path::{Path, PathBuf};

use traffic::profile::schema::schema;
use traffic::profile::{Format, Profile, load_file, load_str};

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn the_published_schema_is_the_models() {
    let path = at_root("docs/profile.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap();
    assert!(
        published == text,
        "docs/profile.schema.json is not the model's: run this test with UPDATE_SCHEMA=1"
    );
}

#[test]
fn the_samples_load_and_validate() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut samples = 0;
    for entry in std::fs::read_dir(at_root("tests/profiles")).unwrap() {
        let path = entry.unwrap().path();
        // Lua scripts are imported, not loaded, and one file is wrong on purpose.
        if Format::of(&path).is_none() || path.ends_with("faulty.toml") {
            continue;
        }
        let profile = load_file(&path).unwrap_or_else(|e| panic!("{e}"));
        // As the file says it, without what loading adds; and as the processes tell each other.
        let text = std::fs::read_to_string(&path).unwrap();
        let written: serde_json::Value = match Format::of(&path) {
            Some(Format::Toml) => toml::from_str(&text).unwrap(),
            Some(Format::Yaml) => serde_saphyr::from_str(&text).unwrap(),
            _ => serde_json::from_str(&text).unwrap(),
        };
        for value in [written.clone(), serde_json::to_value(&profile).unwrap()] {
            if let Err(e) = validator.validate(&value) {
                panic!("{}: {}: {e}", path.display(), e.instance_path());
            }
        }
        // serde reads the same from it as the loader does.
        let by_serde: Profile = serde_json::from_value(written).unwrap();
        assert_eq!(Profile { name: profile.name.clone(), ..by_serde }, profile, "{}", path.display());
        samples += 1;
    }
    assert!(samples >= 3, "{samples} samples");
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let path = at_root("tests/profiles/tcp_one_flow_9000.json");
    let good: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let faulty = [
        ("/rate", serde_json::json!("fast")),
        ("/stop", serde_json::json!({ "count": 0 })),
        ("/stop", serde_json::json!({ "duration_s": 0 })),
        ("/streams", serde_json::json!([])),
        ("/streams/0/frame_size", serde_json::json!(20)),
        ("/streams/0/ethernet/src", serde_json::json!("00:50:56:ab:60")),
        ("/streams/0/tcp", serde_json::json!(null)),
        ("/streams/0/tcp/src", serde_json::json!(70000)),
        ("/streams/0/ipv4/src", serde_json::json!({ "start": "10.0.0.1" })),
    ];
    for (place, value) in faulty {
        let mut profile = good.clone();
        *profile.pointer_mut(place).unwrap() = value;
        assert!(!validator.is_valid(&profile), "{place}");
        let text = profile.to_string();
        assert!(load_str(&text, Format::Json, "x").is_err(), "{place}");
    }
}
