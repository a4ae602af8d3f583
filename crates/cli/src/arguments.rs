//! Command-line arguments.

use flatleak_results::Relevant;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use flatleak::{Checkpoints, Variant};
use flatleak_attack::Attack;
use flatleak_report::Form;

use crate::options::{MessageFormat, Speech, Work};
use crate::times::{Budget, Checkpoint};

/// How much does a training recipe leak about its training data, and why?
#[derive(Parser, Debug)]
#[command(name = "flatleak", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) speech: Speech,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 2 wrong arguments or study, output of another study; 3 input data unreadable or \
inconsistent; 4 a recipe diverged (the others are reported); 5 interrupted, can be resumed; 6 a gate (--fail-above) was exceeded or could not be measured; 7 output cannot be \
written; 8 two workers published different bytes for one model; 1 anything else.";

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Train recipes, attack them, and say which leaks more
    Compare(Compare),
    /// Train what no other worker does, at a run that `compare --prepare` began; start as many as there are machines
    Work(crate::work::WorkAt),
    /// Say how far a run is: done, under way, failed, time left
    Status(crate::status::StatusOf),
    /// Ask all workers at a run to stop; what is complete stays
    Cancel(crate::work::Cancel),
    /// Take the models of shards that were made without a shared store into one run
    Merge(crate::work::Merge),
    /// Say why recipes leak, from the pools of a finished run or from NumPy archives; trains nothing
    Explain(Explain),
    /// Attack models that were trained elsewhere, from their outputs; several pools are compared
    Audit(Box<Audit>),
    /// Write a finished run's pools for other programs
    Export {
        /// Run directory
        dir: PathBuf,
        /// How they are laid out
        #[arg(long, value_enum, default_value = "mi_lira_2021")]
        layout: ExportLayout,
        /// Where to write, a folder per recipe
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write a design for models that are trained elsewhere: who is trained on what
    Plan {
        /// Models, an even number from 6 to 10,000
        #[arg(long, value_name = "M")]
        models: usize,
        /// Examples, with all models at most 1,000,000,000 entries; each model trains on half of them
        #[arg(long, value_name = "N")]
        pool: usize,
        /// Root seed
        #[arg(long, default_value_t = 0, value_parser = RangedU64ValueParser::<u64>::new().range(SEEDS))]
        seed: u64,
        /// Folder to write membership.npy and plan.csv to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// The interpolating linear model behind the claim: exact, simulated and drawn; trains nothing large
    Theory(Theory),
    /// Render table and report of a finished run or audit again, in one or several formats
    Report(Report),
    /// Set two finished runs or audits on the same data side by side
    Diff {
        /// The first folder
        first: PathBuf,
        /// The second; differences are second less first
        second: PathBuf,
        /// How to say it
        #[arg(long, value_enum, default_value = "human")]
        message_format: MessageFormat,
    },
    /// List the runs in a folder: study, state and headline
    Runs {
        /// The folder
        #[arg(default_value = "flatleak-runs")]
        folder: PathBuf,
        /// How to say it
        #[arg(long, value_enum, default_value = "human")]
        message_format: MessageFormat,
    },
    /// Data sets: list, look at, fetch, verify, import
    Data {
        #[command(subcommand)]
        command: Data,
    },
    /// List what flatleak knows
    List {
        /// Kind of thing
        what: What,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write manual pages
    Man {
        /// Folder to write flatleak.1 and a page per command to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Watch over a command that trains a model; flatleak starts this itself
    #[command(hide = true)]
    Supervise {
        /// The command
        #[arg(last = true, required = true)]
        words: Vec<OsString>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Report {
    /// Run directory, or folder of an audit
    pub(crate) dir: PathBuf,
    /// Folder for what is written; the run directory by default
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Formats, a file each: report.html, report.md, report.tex (needs the package booktabs), report.csv (every figure, a row each), report.json,
    /// model-card.md (YAML metadata as the Hugging Face hub reads it)
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_value = "html", value_parser = forms())]
    pub(crate) format: Vec<Form>,
    /// Leave out pictures and everything about single examples, of every format
    #[arg(long)]
    pub(crate) redact: bool,
    /// Print the page to report.pdf as well, with a Chromium that is installed
    #[arg(long)]
    pub(crate) pdf: bool,
}

fn forms() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::name)).try_map(|name| name.parse::<Form>())
}

#[derive(Subcommand, Debug)]
pub(crate) enum Data {
    /// Names with size, licence and whether they are on this machine
    List,
    /// Size, class balance, values, groups and digest of a data set
    Info {
        /// A name, a path, or either with `+key=value` changes
        data: String,
        /// Write a contact sheet of the first pool images per class as PNG
        #[arg(long, value_name = "PNG")]
        sheet: Option<PathBuf>,
    },
    /// Download a data set into the cache, or take it from a file or folder
    Fetch {
        /// Its name
        name: String,
        /// A folder, a file, file:// or https:// instead of its publisher's address
        #[arg(long, value_name = "PATH|URL", env = "FLATLEAK_MIRROR")]
        from: Option<String>,
        /// SHA-256 that the downloaded file must have
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
    },
    /// Check a cached data set against its checksums
    Verify {
        /// Its name
        name: String,
    },
    /// Copy a file or folder that flatleak can read into the cache under a name
    Import {
        /// The file or folder
        path: PathBuf,
        /// The name to ask for from now on
        #[arg(long)]
        name: String,
        /// Put it in the place of what was imported under this name before
        #[arg(long)]
        replace: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// Attacks with a description and a source each
    Attacks,
    /// Network presets with parameters
    Architectures,
    /// Data sets
    Data,
    /// Optimizers with parameters, defaults, cost and source
    Optimizers,
    /// Defences with ranges and sources
    Defences,
}

/// When enough models are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// A relevant difference is shown or excluded in every comparison
    Relevant,
}

/// Fewest and most values of eta: a path has a start and an end.
const ETAS: std::ops::RangeInclusive<u64> = 2..=10_000;
/// Largest seed of a design: its models have the seeds that follow.
const SEEDS: std::ops::RangeInclusive<u64> = 0..=i64::MAX as u64;

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// Study file; without one, the main job: SGD, SGD with twice the epochs and SAM on the embedded images
    pub(crate) study: Option<PathBuf>,
    /// Run directory [default: `flatleak-runs/<study>-<hash>`]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Data set: a name (see `flatleak data list`) or a path, with changes behind `+`; give it again for several
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) data: Vec<String>,
    /// Network preset (see `flatleak list architectures`)
    #[arg(long, value_name = "NAME")]
    pub(crate) arch: Option<String>,
    /// Recipes of the study to run, the baseline first
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) recipes: Vec<String>,
    /// Models per recipe, an even number from 6 to 10,000; more than before extends a run
    #[arg(long, value_name = "M")]
    pub(crate) models: Option<usize>,
    /// Pool examples, with all models at most 1,000,000,000 entries; each model trains on half of them
    #[arg(long, value_name = "N")]
    pub(crate) pool: Option<usize>,
    /// Epochs of the first recipe, at most 100,000; the others keep their ratio to it
    #[arg(long, value_name = "E")]
    pub(crate) epochs: Option<usize>,
    /// Root seed
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Smallest differences that matter: of an AUC, of a TPR as a share of the baseline's, of an accuracy
    /// [default: auc=.01,tpr=10%,accuracy=.01]
    #[arg(long, value_name = "auc=X,tpr=X%,accuracy=X")]
    pub(crate) relevant: Option<Relevant>,
    /// Add models until every comparison is settled: looks at 16, 24, 32, 48, 64, 96, 128, 192 and 256 models per recipe; --models is then the
    /// most that are trained
    #[arg(long, value_enum, value_name = "GOAL", conflicts_with = "quick")]
    pub(crate) until: Option<Goal>,
    /// Time that `--until` may take, such as 90m or 2h: no look is begun that would not fit
    #[arg(long, value_name = "TIME", requires = "until")]
    pub(crate) budget: Option<Budget>,
    /// Time after which a model in training is saved again, such as 60s or 10m, or `off`; no result depends on it [default: 60s, and at most
    /// 0.5 % of the time]
    #[arg(long, value_name = "TIME|off")]
    pub(crate) checkpoint: Option<Checkpoint>,
    /// 16 models and at most 2,000 pool examples: a look, not for decisions
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print every resolved value, what is on disk already, time, disk and memory, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Lay down study and data for `flatleak work`, and train nothing
    #[arg(long, conflicts_with_all = ["until", "no_train", "dry_run"])]
    pub(crate) prepare: bool,
    /// Workers give a sign of life so often; whoever misses five loses the task to another
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "prepare")]
    pub(crate) beat: Budget,
    /// Analyse what workers trained; models that are missing are an error
    #[arg(long, conflicts_with = "until")]
    pub(crate) no_train: bool,
    /// Leave out pictures and everything about single examples
    #[arg(long)]
    pub(crate) redact: bool,
    #[command(flatten)]
    pub(crate) work: Work,
}

impl Compare {
    /// What is asked, for the library.
    pub(crate) fn asked(&self) -> flatleak::Compare {
        flatleak::Compare {
            study: self.study.clone(),
            out: self.out.clone(),
            data: self.data.clone(),
            arch: self.arch.clone(),
            recipes: self.recipes.clone(),
            models: self.models,
            pool: self.pool,
            epochs: self.epochs,
            seed: self.seed,
            relevant: self.relevant,
            until: self.until.map(|Goal::Relevant| flatleak::Goal::Relevant),
            budget: self.budget.map(|budget| budget.0),
            quick: self.quick,
            redact: self.redact,
            training: if self.no_train { flatleak::Training::Elsewhere } else { flatleak::Training::Here },
            workers: self.work.workers(),
            supervision: crate::supervise::by_this_program(),
            checkpoints: self.checkpoint.map_or_else(Checkpoints::default, |asked| asked.0),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A run directory, or one or more .npz archives with `trainset_mask`, `trainset_correctness` and perhaps
    /// `testset_correctness`; of several archives, the first is the baseline
    #[arg(required = true, value_name = "DIR|NPZ")]
    pub(crate) paths: Vec<PathBuf>,
    /// Where to write [default: the run directory itself; `flatleak-runs/explain-<archive>`]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Score no attack: what rests on them stays as the run found it, and exposure.csv has no rates
    #[arg(long)]
    pub(crate) no_attacks: bool,
    /// Leave out pictures and everything about single examples
    #[arg(long)]
    pub(crate) redact: bool,
    /// Root seed of splits and nulls for archives; a run directory has its own
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) work: Work,
}

impl Explain {
    /// What is asked, for the library.
    pub(crate) fn asked(&self) -> flatleak::Explain {
        flatleak::Explain {
            out: self.out.clone(),
            no_attacks: self.no_attacks,
            redact: self.redact,
            seed: self.seed,
            workers: self.work.workers(),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Theory {
    /// A finished run: its recipes are placed on the map of the theory
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,
    /// Where to write theory.html and theory.json [default: the run directory; `flatleak-runs/theory`]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A problem of your own instead: an .npz with x (n, d), y (n) and sigma (d) or (d, d), the covariance of unseen examples; its exact
    /// path alone
    #[arg(long, value_name = "NPZ", conflicts_with_all = ["run", "family", "examples", "dimensions", "teacher_noise", "label_noise", "draws", "models", "seed"])]
    pub(crate) problem: Option<PathBuf>,
    /// Kind of data: power-law (decay=1), spiked (spikes=10, floor=0.1), isotropic, subgroups (minority=0.1, distance=4)
    #[arg(long, value_name = "NAME[+KEY=VALUE]", default_value = "power-law")]
    pub(crate) family: String,
    /// Training examples, n; times dimensions at most 10,000,000
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) examples: usize,
    /// Dimensions, d, more than examples
    #[arg(long, value_name = "D", default_value_t = 200)]
    pub(crate) dimensions: usize,
    /// Noise of the teacher over its signal; `inf` for classes at random
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub(crate) teacher_noise: f64,
    /// Noise on the fitted labels, tau: members have margins N(1, tau^2)
    #[arg(long, value_name = "TAU", default_value_t = 0.1)]
    pub(crate) label_noise: f64,
    /// Values of eta: 0, a logarithmic grid from 0.01 to 100, and the limit
    #[arg(long, value_name = "K", default_value_t = 50, value_parser = RangedU64ValueParser::<usize>::new().range(ETAS))]
    pub(crate) etas: usize,
    /// Independent draws of the problem, 2 to 10,000
    #[arg(long, value_name = "R", default_value_t = 20)]
    pub(crate) draws: usize,
    /// Linear models of the pool that is attacked, an even number from 8 to 10,000
    #[arg(long, value_name = "M", default_value_t = 32)]
    pub(crate) models: usize,
    /// Root seed
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// Layouts of exported pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportLayout {
    /// Folders as the reference code of the likelihood-ratio attack has them
    #[value(name = "mi_lira_2021")]
    MiLira2021,
    /// One archive per recipe, as `flatleak audit` reads it
    Npz,
}

#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// Folders: run directories, or pools in the layouts of mi_lira_2021, lira_analysis, lira-pytorch or Privacy Meter; of several, the
    /// first is the baseline
    #[arg(value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,
    /// Logits, (M, N, C) or (M, N, Q, C), as .npy, .npz or safetensors
    #[arg(long, value_name = "F", group = "outputs")]
    pub(crate) logits: Option<PathBuf>,
    /// Class probabilities, of the same shapes
    #[arg(long, value_name = "F", group = "outputs")]
    pub(crate) probabilities: Option<PathBuf>,
    /// log(p_y / (1 - p_y)), (M, N) or (M, N, Q)
    #[arg(long, value_name = "F", group = "outputs")]
    pub(crate) phi: Option<PathBuf>,
    /// -log p_y, of the same shapes
    #[arg(long, value_name = "F", group = "outputs")]
    pub(crate) loss: Option<PathBuf>,
    /// p_y, of the same shapes
    #[arg(long, value_name = "F", group = "outputs")]
    pub(crate) confidence: Option<PathBuf>,
    /// Table with one row per model and example, as CSV, Parquet, Arrow or Feather: model, example, member, label, and phi, loss,
    /// confidence, logit_0... or probability_0..., or logits or probabilities as lists
    #[arg(long, value_name = "F", conflicts_with_all = ["outputs", "membership", "labels"])]
    pub(crate) table: Option<PathBuf>,
    /// True classes, (N)
    #[arg(long, value_name = "F")]
    pub(crate) labels: Option<PathBuf>,
    /// Which model was trained on which example, (M, N)
    #[arg(long, value_name = "F", requires = "outputs")]
    pub(crate) membership: Option<PathBuf>,
    /// Outputs of the same kind on held-out examples, for influence
    #[arg(long, value_name = "F", requires = "outputs")]
    pub(crate) test_logits: Option<PathBuf>,
    /// Their classes, (T)
    #[arg(long, value_name = "F", requires = "test_logits")]
    pub(crate) test_labels: Option<PathBuf>,
    /// Features of the examples, (N, D), for the quantile attack: what is expected of a non-member like this one
    #[arg(long, value_name = "F", requires = "test_features")]
    pub(crate) features: Option<PathBuf>,
    /// Features of the held-out examples, (T, D)
    #[arg(long, value_name = "F", requires = "test_logits", requires = "features")]
    pub(crate) test_features: Option<PathBuf>,
    /// Attack one model alone, counted from 0, with all others as its shadows; intervals are then over its examples, and nominal
    #[arg(long, value_name = "I")]
    pub(crate) target: Option<usize>,
    /// Definitions of `lira-online-fixed` and phi: residual, official, per-side, or official-2021
    #[arg(long, value_name = "V", default_value = "residual", value_parser = Variant::parse)]
    pub(crate) variant: Variant,
    /// Print the formula of every attack as it would be run, and stop
    #[arg(long, conflicts_with = "fail_above")]
    pub(crate) explain_variant: bool,
    /// Name of the pool that the arrays make
    #[arg(long, default_value = "model")]
    pub(crate) name: String,
    /// Where to write [default: `flatleak-runs/audit-<name>`]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write every attack's scores, (M, N) f64, higher = member
    #[arg(long, conflicts_with = "redact")]
    pub(crate) save_scores: bool,
    /// Exit with 6 when a metric of any pool exceeds a value, or cannot be measured on one: `strongest.auc=0.6`, `lira-online.tpr@0.001=0.02`, `rmia(t=2).advantage=0.1`;
    /// give it again for several
    #[arg(long, value_name = "METRIC=X")]
    pub(crate) fail_above: Vec<String>,
    /// Smallest differences that matter: of an AUC, of a TPR as a share of the baseline's, of an accuracy
    #[arg(long, value_name = "auc=X,tpr=X%,accuracy=X", default_value_t)]
    pub(crate) relevant: Relevant,
    /// A further attack, with its parameters: `rmia(t=3)`, `rmia-offline(a=0.5)`; give it again for several
    #[arg(long, value_name = "NAME")]
    pub(crate) attack: Vec<Attack>,
    /// Leave out everything about single examples
    #[arg(long)]
    pub(crate) redact: bool,
    /// Root seed of splits and nulls
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) work: Work,
}
