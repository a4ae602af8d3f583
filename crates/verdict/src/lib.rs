//! From pools to a verdict: attacks, intervals, paired differences.
//!
//! [`compare()`] takes the pools of a study's recipes and gives, per recipe, its accuracy, every attack and the
//! spread of its confidence, and per comparison the paired differences with intervals and p-values, and a
//! [`Headline`](flatleak_results::Headline). Intervals and p-values are Student's t on one variance, which knows that targets share shadows
//! ([`Replicates`](flatleak_stats::Replicates)).
//!
//! [`explain()`] says why, from the same pools, as an [`Explanation`](flatleak_results::Explanation) with what is known of single examples as [`Detail`].
//!
//! All intervals hold for the examples of this pool; they cover new models, not new examples.
//!
//! ```
//! use flatleak_pool::{Membership, Pool, Signals};
//! use flatleak_results::{Relevant, Verdict};
//! use flatleak_verdict::{Options, compare};
//!
//! // Eight pairs of models over 200 examples of two classes. Members are given more of the right logit: by 1 under `plain`, by 4 under `sharp`.
//! let membership = Membership::complementary(0, 16, 200)?;
//! let labels: Vec<u32> = (0..200).map(|i| i % 2).collect();
//! let pool = |name: &str, learnt: f32| {
//!     let model = |k: usize| {
//!         let logit = |i: usize| ((7 * i + 5 * k) % 11) as f32 / 2.0 - 1.0 + if membership.row(k)[i] { learnt } else { 0.0 };
//!         let logits: Vec<f32> = (0..200).flat_map(|i| if labels[i] == 0 { [logit(i), 0.0] } else { [0.0, logit(i)] }).collect();
//!         Signals::from_logits(&logits, &labels, 2)
//!     };
//!     Pool::new(name, membership.clone(), labels.clone(), (0..16).map(model).collect::<Result<_, _>>()?)
//! };
//! let (plain, sharp) = (pool("plain", 1.0)?, pool("sharp", 4.0)?);
//! let asked = Options::of_pools("made up", 2, Relevant::default());
//! let found = compare(&[&plain, &sharp], &asked, |_| true)?;
//! assert_eq!(found.comparisons[0].headline.verdict, Verdict::RelevantlyMore);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analysis;
mod attacked;
mod blind;
mod comparison;
mod condition;
mod error;
mod explanation;
mod family;
mod figures;
mod frontier;
mod groups;
mod guessing;
mod headline;
mod judge;
mod merged;
mod mismatch;
mod options;
mod pooled;
mod population;
mod properties;
mod recipe;
mod scored;
mod sets;
mod table;
mod words;

pub use analysis::{Analysis, Compared, analyse, compare, explain};
pub use blind::{beats_chance, blind_target};
pub use error::Error;
pub use explanation::detail::Detail;
pub use family::{FALSE_POSITIVES, FAMILY, HEADLINE, SUMMARY, headline_metric, is_reliable};
pub use flatleak_attack::all as attacks;
pub use guessing::{of_target, target_conditions};
pub use headline::{FEW, against_guessing, called};
pub use merged::merge;
pub use options::{Options, Progress, Stage};
pub use pooled::{across, pool_differences};
pub use scored::{can_run, scores};
pub use words::word;
