//! Single examples that the page shows, the content of a listing's file beside the results.

use std::collections::BTreeMap;

use flatleak_results::{Estimate, plain};
use flatleak_verdict::{Detail, HEADLINE};
use serde::{Deserialize, Serialize};

use crate::columns::{Helping, Names, helped, label_of};

/// Most examples of a page.
const MOST: usize = 200;

/// Examples of one data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Explorer {
    /// Recipes, in the order of the study.
    pub recipes: Vec<String>,
    /// Attacks of which right calls are known, the strongest first.
    pub attacks: Vec<String>,
    /// Pool examples, of which the most exposed are shown.
    pub pool: usize,
    /// The most exposed first.
    pub examples: Vec<Example>,
}

/// One training example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Index in its source, from 0.
    pub index: u32,
    /// Name of its class.
    pub class: String,
    /// Name of its group, where groups are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// File or row in the source.
    pub source: String,
    /// PNG in base64, where the data are pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// By recipe.
    pub recipes: BTreeMap<String, Exposed>,
}

/// One example under one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposed {
    /// Rate of right membership calls over the models, by attack, in the order of [`Explorer::attacks`].
    pub calls: Vec<Option<Estimate>>,
    /// 0/1 memorization with its interval.
    pub memorization: Estimate,
    /// Held-out examples that it helps most, the strongest first.
    pub helps: Vec<Helped>,
}

/// A held-out example that a training example helps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Helped {
    /// Index in the test set.
    pub test: u32,
    /// Name of its class.
    pub class: String,
    /// Influence.
    pub influence: f64,
}

impl Explorer {
    /// The most exposed examples of recipes over one pool: by the largest rate of right calls of the attack of headlines under any recipe,
    /// then by memorization. `picture` gives a PNG in base64. `None` where recipes were trained on other examples than the first, or where
    /// no attack was run.
    pub fn of(details: &[Detail], names: &Names<'_>, picture: &dyn Fn(usize) -> Option<String>) -> Option<Self> {
        let first = details.first()?;
        let same: Vec<(usize, &Detail)> = details.iter().enumerate().filter(|(_, d)| d.ids == first.ids).collect();
        let called = |d: &Detail, i: usize| d.exposure.iter().find(|(a, _)| *a == HEADLINE).map(|(_, e)| e[i].mean);
        let key = |i: usize| {
            let of = |f: &dyn Fn(&Detail) -> Option<f64>| {
                same.iter().filter_map(|(_, d)| f(d)).fold(f64::NEG_INFINITY, f64::max)
            };
            (of(&|d| called(d, i)), of(&|d| Some(d.memorization[i])))
        };
        first.exposure.first()?;
        let mut order: Vec<(usize, (f64, f64))> = (0..first.ids.len()).map(|i| (i, key(i))).collect();
        order.sort_by(|(i, a), (j, b)| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(i.cmp(j)));
        let helped: Vec<_> = same.iter().map(|(k, d)| (*k, *d, helped(d))).collect();
        let example = |i: usize| {
            let exposed = |(k, d, helped): &(usize, &Detail, Helping)| {
                let one = |(test, influence): &(usize, f64)| Helped {
                    test: *test as u32,
                    class: names.class_of((names.test_label)(*k, *test)),
                    influence: *influence,
                };
                let helps = helped.get(&(i as u32)).into_iter().flatten().map(one).collect();
                let calls = first.exposure.iter().map(|(a, _)| a);
                let calls = calls.map(|a| d.exposure.iter().find(|(own, _)| own == a).map(|(_, e)| e[i]));
                let memorization = Estimate { mean: d.memorization[i], ..d.intervals[i] };
                (d.recipe.clone(), Exposed { calls: calls.collect(), memorization, helps })
            };
            Example {
                index: first.ids[i],
                class: names.class_of(label_of(first, i)),
                group: (names.group)(i),
                source: (names.source)(0, i),
                picture: picture(i),
                recipes: helped.iter().map(exposed).collect(),
            }
        };
        Some(Self {
            recipes: same.iter().map(|(_, d)| d.recipe.clone()).collect(),
            attacks: first.exposure.iter().map(|(a, _)| a.name()).collect(),
            pool: first.ids.len(),
            examples: order.iter().take(MOST).map(|(i, _)| example(*i)).collect(),
        })
    }

    /// Recipes under the names that they have on the page: hidden characters written out, long names as `cut` has them.
    pub(crate) fn renamed(mut self, cut: &[(String, String)]) -> Self {
        let name = |own: &str| {
            let own = plain(own).into_owned();
            cut.iter().find(|(long, _)| *long == own).map_or(own, |(_, short)| short.clone())
        };
        self.recipes.iter_mut().for_each(|r| *r = name(r));
        for example in &mut self.examples {
            let recipes = std::mem::take(&mut example.recipes);
            example.recipes = recipes.into_iter().map(|(recipe, e)| (name(&recipe), e)).collect();
        }
        self
    }

    /// Reads the content of a file; `None` where it is none of this kind.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
