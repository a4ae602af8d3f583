//! JSON schemas of the types that are one string in files (feature `schemars`); those of all others are derived.
#![cfg(feature = "schemars")]

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::explanation::Reason;
use crate::metric::{Metric, Property};

/// A string with a description.
macro_rules! string {
    ($type:ident, $description:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}

string!(Metric, "What is measured: `attack.auc`, `attack.tpr@0.01`, `test-accuracy`, `memorization[group]`, ...");
string!(Property, "What is measured of a recipe without an attack: `test-accuracy`, `phi-variance.member`, ...");
string!(Reason, "Why something was left out; `not asked for` where nobody asked for it.");
