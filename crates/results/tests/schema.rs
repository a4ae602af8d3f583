//! Committed results against the JSON schema: cargo test -p flatleak-results --features schemars
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};

use flatleak_results::{Document, SCHEMA_VERSION};
use serde_json::{Map, Value, json};

/// What of JSON Schema (draft 2020-12) these schemas use. Any other keyword fails the test: none is passed over. A validator as a dependency
/// would bring sixty packages into every test run.
struct Schema(Value);

impl Schema {
    fn new() -> Self {
        Self(schemars::schema_for!(Document).to_value())
    }

    /// Places of a value that a schema forbids.
    fn problems(&self, value: &Value) -> Vec<String> {
        let mut out = Vec::new();
        self.check(&self.0, value, "", &mut out);
        out
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
        let keywords = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return out.push(format!("{at}: nothing may stand here")),
            other => other.as_object().unwrap(),
        };
        let known = keywords.get("properties").and_then(Value::as_object);
        for (keyword, wanted) in keywords {
            let sound = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
                "type" => match wanted {
                    Value::Array(any) => any.iter().any(|t| is_of(t, value)),
                    one => is_of(one, value),
                },
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => wanted == value,
                "minimum" => value.as_f64().is_none_or(|v| v >= wanted.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|v| v <= wanted.as_f64().unwrap()),
                "minItems" => value.as_array().is_none_or(|v| v.len() as u64 >= wanted.as_u64().unwrap()),
                "maxItems" => value.as_array().is_none_or(|v| v.len() as u64 <= wanted.as_u64().unwrap()),
                "required" => value.as_object().is_none_or(|v| names(wanted).all(|name| v.contains_key(name))),
                "anyOf" => wanted.as_array().unwrap().iter().any(|s| self.is_met(s, value)),
                "oneOf" => wanted.as_array().unwrap().iter().filter(|s| self.is_met(s, value)).count() == 1,
                "$ref" => {
                    let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                    self.check(self.0.pointer(pointer).unwrap(), value, at, out);
                    true
                }
                "items" => {
                    for (k, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}/{k}"), out);
                    }
                    true
                }
                "prefixItems" => {
                    for (schema, item) in wanted.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten())
                    {
                        self.check(schema, item, at, out);
                    }
                    true
                }
                "properties" => {
                    self.members(wanted.as_object().unwrap(), value, at, out);
                    true
                }
                "additionalProperties" => {
                    let members = value.as_object().into_iter().flatten();
                    for (name, member) in members.filter(|(name, _)| known.is_none_or(|k| !k.contains_key(*name))) {
                        self.check(wanted, member, &format!("{at}/{name}"), out);
                    }
                    true
                }
                other => panic!("the schema has a keyword that is not looked at: {other}"),
            };
            if !sound {
                out.push(format!("{at}: {keyword} {wanted}"));
            }
        }
    }

    fn members(&self, wanted: &Map<String, Value>, value: &Value, at: &str, out: &mut Vec<String>) {
        for (name, schema) in wanted {
            if let Some(member) = value.get(name) {
                self.check(schema, member, &format!("{at}/{name}"), out);
            }
        }
    }

    fn is_met(&self, schema: &Value, value: &Value) -> bool {
        let mut out = Vec::new();
        self.check(schema, value, "", &mut out);
        out.is_empty()
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("{other} is no type of JSON"),
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Results that runs and audits wrote and that are kept, of this version of the schema.
fn kept() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/kept");
    let (mut found, mut folders) = (Vec::new(), vec![folder.join(format!("schema-{SCHEMA_VERSION}"))]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.ends_with("results.json") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn what_runs_and_audits_wrote_is_valid() {
    let (schema, all) = (Schema::new(), kept());
    assert!(all.len() >= 2, "{all:?}");
    for path in all {
        assert_eq!(schema.problems(&read(&path)), [""; 0], "{}", path.display());
    }
}

#[test]
fn what_no_program_of_this_version_writes_is_not() {
    let schema = Schema::new();
    let sound = read(&kept()[0]);
    let wrong: [(&str, Value); 4] = [
        ("/recipes/0/member_accuracy/mean", "high".into()),
        ("/recipes/0/attacks/0/auc", Value::Null),
        ("/schema_version", (-2).into()),
        ("/figures", json!({})),
    ];
    for (at, value) in wrong {
        let mut changed = sound.clone();
        *changed.pointer_mut(at).unwrap() = value;
        let found = schema.problems(&changed);
        assert!(found.iter().any(|problem| problem.contains(at)), "{at}: {found:?}");
    }
    let mut short = sound.clone();
    short.as_object_mut().unwrap().remove("headline");
    assert!(!schema.problems(&short).is_empty());
}
