//! Which column of a table is what.

use flatleak_data::records::{Head, Kind};

use super::super::given::Given;
use super::super::side::plain;
use super::names::{Meaning, Part, Role, meaning};
use super::problem::RowsError;

/// Names this alike may be meant.
const ALIKE: f64 = 0.85;

/// How the outputs of a row are laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One number.
    Single,
    /// One list.
    List,
    /// One number per class, in the order of the classes.
    Numbered,
    /// One number per class, and the names of the classes.
    Named(Vec<String>),
}

/// Where the outputs of a row are.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) layout: Layout,
    /// Positions among the wanted columns.
    pub(super) at: Vec<usize>,
}

/// The columns that are used.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) model: usize,
    pub(super) example: usize,
    /// Whether its name is that of splits comes with it.
    pub(super) member: (usize, bool),
    pub(super) label: Option<usize>,
    pub(super) query: Option<usize>,
    pub(super) held_out: Option<usize>,
    pub(super) given: Given,
    pub(super) outputs: Outputs,
    /// Names of the wanted columns.
    pub(super) names: Vec<String>,
    /// Numbers of the wanted columns in the table.
    pub(super) wanted: Vec<usize>,
    /// Names of the others.
    pub(super) unused: Vec<String>,
}

/// The columns of a table while they are told apart.
struct Table<'a> {
    heads: &'a [Head],
    meanings: Vec<Meaning>,
    wanted: Vec<usize>,
}

impl Columns {
    pub(super) fn find(heads: &[Head]) -> Result<Self, RowsError> {
        let meanings = heads.iter().map(|head| meaning(&head.name)).collect();
        let mut table = Table { heads, meanings, wanted: Vec::new() };
        let (given, outputs) = table.outputs()?;
        let member = table.need(Role::Member)?;
        let model = table.need(Role::Model)?;
        let example = table.need(Role::Example)?;
        let per_class = matches!(given, Given::Logits | Given::Probabilities);
        let label = if per_class { Some(table.need(Role::Label)?) } else { table.role(Role::Label)? };
        let (query, held_out) = (table.role(Role::Query)?, table.role(Role::HeldOut)?);
        let wanted = table.wanted;
        let names: Vec<String> = wanted.iter().map(|w| heads[*w].name.clone()).collect();
        let mut used = vec![false; heads.len()];
        wanted.iter().for_each(|at| used[*at] = true);
        let unused = heads.iter().zip(used).filter(|(_, used)| !used).map(|(head, _)| shown(head)).collect();
        let split = plain(&names[member]) == "split";
        Ok(Self {
            model,
            example,
            member: (member, split),
            label,
            query,
            held_out,
            given,
            outputs,
            names,
            wanted,
            unused,
        })
    }

    /// What a column of one class is called.
    pub(super) fn kind(&self) -> &'static str {
        kind(self.given)
    }
}

fn kind(given: Given) -> &'static str {
    if given == Given::Logits { "logit" } else { "probability" }
}

/// A column as a note tells it.
fn shown(head: &Head) -> String {
    match &head.kind {
        Kind::Other(kind) => format!("{} ({kind})", head.name),
        _ if head.name.is_empty() => "a column without a name".into(),
        _ => head.name.clone(),
    }
}

impl Table<'_> {
    fn name(&self, at: usize) -> String {
        self.heads[at].name.clone()
    }

    /// Makes a column one of the wanted.
    fn want(&mut self, at: usize) -> usize {
        self.wanted.push(at);
        self.wanted.len() - 1
    }

    /// Wants the columns of outputs.
    fn laid(&mut self, layout: Layout, at: &[usize]) -> Outputs {
        Outputs { layout, at: at.iter().map(|at| self.want(*at)).collect() }
    }

    /// The only column that is meant so.
    fn only(&self, role: &str, meant: impl Fn(&Meaning) -> bool) -> Result<Option<usize>, RowsError> {
        let all: Vec<usize> = (0..self.heads.len()).filter(|at| meant(&self.meanings[*at])).collect();
        match *all.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => {
                Err(RowsError::Ambiguous { role: role.into(), columns: all.iter().map(|at| self.name(*at)).collect() })
            }
        }
    }

    fn role(&mut self, role: Role) -> Result<Option<usize>, RowsError> {
        let Some(at) = self.only(role.words(), |meaning| *meaning == Meaning::Role(role))? else {
            return Ok(None);
        };
        let found = match &self.heads[at].kind {
            Kind::Other(kind) => kind.clone(),
            Kind::Lists => "list".into(),
            _ => return Ok(Some(self.want(at))),
        };
        Err(RowsError::Type { column: self.name(at), found, role: role.words() })
    }

    fn need(&mut self, role: Role) -> Result<usize, RowsError> {
        match self.role(role)? {
            Some(at) => Ok(at),
            None => Err(RowsError::NoColumn {
                role: role.words(),
                name: role.names()[0],
                nearest: self.nearest(role.names()),
                found: self.found(),
            }),
        }
    }

    /// The columns that have a name.
    fn found(&self) -> Vec<String> {
        self.heads.iter().map(|head| head.name.clone()).filter(|name| !name.is_empty()).collect()
    }

    /// The column without a meaning whose name is nearest to one of these.
    fn nearest(&self, names: &[&str]) -> Option<String> {
        let unknown = self.heads.iter().zip(&self.meanings).filter(|(_, meaning)| **meaning == Meaning::Unknown);
        let alike = |head: &Head| {
            let plain = plain(&head.name);
            let word = plain.split('_').any(|word| names.contains(&word));
            if word { 1.0 } else { names.iter().map(|name| strsim::jaro_winkler(&plain, name)).fold(0.0, f64::max) }
        };
        let (likeness, head) = unknown.map(|(head, _)| (alike(head), head)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (likeness >= ALIKE).then(|| head.name.clone())
    }

    /// The one kind of outputs.
    fn outputs(&mut self) -> Result<(Given, Outputs), RowsError> {
        let mut kinds: Vec<(usize, Given)> = Vec::new();
        for (at, meaning) in self.meanings.iter().enumerate() {
            let given = match meaning {
                Meaning::Single(given) | Meaning::PerClass(given, Part::All | Part::Class(_)) => *given,
                _ => continue,
            };
            if !kinds.iter().any(|(_, known)| *known == given) {
                kinds.push((at, given));
            }
        }
        match *kinds.as_slice() {
            [] => self.named(),
            [(_, given @ (Given::Phi | Given::Loss | Given::Confidence))] => {
                let at = self.only("the outputs", |meaning| *meaning == Meaning::Single(given))?.unwrap_or_default();
                self.check(at)?;
                Ok((given, self.laid(Layout::Single, &[at])))
            }
            [(_, given)] => self.per_class(given),
            _ => Err(RowsError::Kinds { kinds: kinds.iter().map(|(at, _)| self.name(*at)).collect() }),
        }
    }

    fn per_class(&mut self, given: Given) -> Result<(Given, Outputs), RowsError> {
        let mut classes = Vec::new();
        for (at, meaning) in self.meanings.iter().enumerate() {
            match meaning {
                Meaning::PerClass(own, Part::Class(class)) if *own == given => classes.push((*class, at)),
                _ => {}
            }
        }
        let list = self.only("the outputs of all classes", |m| *m == Meaning::PerClass(given, Part::All))?;
        classes.sort_unstable();
        let kind = kind(given);
        match (list, classes.as_slice()) {
            (Some(list), [(_, at), ..]) => {
                let columns = vec![self.name(list), self.name(*at)];
                Err(RowsError::Ambiguous { role: "the outputs of all classes".into(), columns })
            }
            (Some(list), []) => match self.heads[list].kind {
                Kind::Lists | Kind::Texts | Kind::Written => Ok((given, self.laid(Layout::List, &[list]))),
                Kind::Numbers | Kind::Bools => Err(RowsError::OneColumn { column: self.name(list), kind }),
                Kind::Other(_) => self.check(list).map(|()| (given, self.laid(Layout::List, &[list]))),
            },
            // The second of two classes says what the first is.
            (None, &[(1, at)]) => self.check(at).map(|()| (given, self.laid(Layout::Numbered, &[at]))),
            (None, &[(_, at)]) => Err(RowsError::OneColumn { column: self.name(at), kind }),
            (None, all) => {
                if let Some(pair) = all.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    let columns = pair.iter().map(|(_, at)| self.name(*at)).collect();
                    return Err(RowsError::Ambiguous { role: format!("the output of class {}", pair[0].0), columns });
                }
                // Classes that count from 1 are named by their numbers, as the labels are.
                if all.iter().zip(1..).all(|((class, _), at)| *class == at) {
                    let named = all.iter().map(|(class, at)| (class.to_string(), *at)).collect();
                    return self.by_name(given, named);
                }
                if let Some(missing) = (0..all.len()).find(|class| all[*class].0 != *class) {
                    let [first, last] = [all[0].1, all[all.len() - 1].1].map(|at| self.name(at));
                    return Err(RowsError::Gap { missing, first, last });
                }
                all.iter().try_for_each(|(_, at)| self.check(*at))?;
                let at: Vec<usize> = all.iter().map(|(_, at)| *at).collect();
                Ok((given, self.laid(Layout::Numbered, &at)))
            }
        }
    }

    /// Columns that are named by class: one kind, of two or more.
    fn named(&mut self) -> Result<(Given, Outputs), RowsError> {
        let mut found = [Given::Logits, Given::Probabilities].map(|given| (given, Vec::new()));
        for (at, meaning) in self.meanings.iter().enumerate() {
            if let Meaning::PerClass(given, Part::Named(class)) = meaning {
                found.iter_mut().filter(|(own, _)| own == given).for_each(|(_, all)| all.push((class.clone(), at)));
            }
        }
        let [logits, probabilities] = found;
        match [logits.1.len() > 1, probabilities.1.len() > 1] {
            [true, true] => {
                Err(RowsError::Kinds { kinds: vec![self.name(logits.1[0].1), self.name(probabilities.1[0].1)] })
            }
            [false, false] => {
                let nearest =
                    self.nearest(&["logit_0", "logits", "probability_0", "probabilities", "phi", "loss", "confidence"]);
                Err(RowsError::NoOutputs { nearest, found: self.found() })
            }
            [left, _] => {
                let (given, classes) = if left { logits } else { probabilities };
                self.by_name(given, classes)
            }
        }
    }

    /// Outputs of classes by their names.
    fn by_name(&mut self, given: Given, classes: Vec<(String, usize)>) -> Result<(Given, Outputs), RowsError> {
        classes.iter().try_for_each(|(_, at)| self.check(*at))?;
        let (names, at): (Vec<String>, Vec<usize>) = classes.into_iter().unzip();
        Ok((given, self.laid(Layout::Named(names), &at)))
    }

    /// Refuses outputs of a type that no number can be read from.
    fn check(&self, at: usize) -> Result<(), RowsError> {
        let found = match &self.heads[at].kind {
            Kind::Other(kind) => kind.clone(),
            Kind::Lists => "list".into(),
            _ => return Ok(()),
        };
        Err(RowsError::Type { column: self.name(at), found, role: "an output" })
    }
}
