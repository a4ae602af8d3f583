//! Commands that train models in the engine's place: words, quotes and placeholders.

use std::ffi::OsString;

/// What a command may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The model's index.
    Index,
    /// The file of its membership row.
    Mask,
    /// Its seed.
    Seed,
    /// The file of the data.
    Data,
    /// The folder that the command writes to.
    Out,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Index, Self::Mask, Self::Seed, Self::Data, Self::Out];

    /// As it stands in a command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Index => "{index}",
            Self::Mask => "{mask}",
            Self::Seed => "{seed}",
            Self::Data => "{data}",
            Self::Out => "{out}",
        }
    }
}

/// What can be wrong with a command; places are characters of the command, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No word, or an empty one where the program should stand.
    #[error("names no program: start it with the program that trains a model")]
    NoProgram,
    /// A quote without its end.
    #[error("opens the quote {quote} at character {at} and never closes it: close it, or leave it out")]
    Unclosed {
        /// The quote.
        quote: char,
        /// Where it stands.
        at: usize,
    },
    /// A placeholder that there is not.
    #[error("asks for {found} at character {at}; there are {}", Placeholder::ALL.map(Placeholder::name).join(", "))]
    Unknown {
        /// As it stands there.
        found: String,
        /// Where it stands.
        at: usize,
    },
    /// A placeholder without which no model can be trained.
    #[error("lacks {missing}: a trainer needs to know whom to train on and where to write")]
    Lacks {
        /// The placeholder.
        missing: &'static str,
    },
    /// A character that no argument of a program can hold.
    #[error("has a null character at character {at}: take it out")]
    Null {
        /// Where it stands.
        at: usize,
    },
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Asked(Placeholder),
}

type Word = Vec<Piece>;

/// A command, read: a program and its arguments.
///
/// Words end at white space; what stands between two equal quotes is of one word. There is no other syntax of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    program: Word,
    arguments: Vec<Word>,
}

/// The words of a command for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// What is started.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Command {
    /// Reads a command.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let mut words = words(text)?.into_iter();
        let named = |word: &Word| word.iter().any(|piece| *piece != Piece::Text(String::new()));
        let program = words.next().filter(named).ok_or(CommandError::NoProgram)?;
        let command = Self { program, arguments: words.collect() };
        match [Placeholder::Mask, Placeholder::Out].into_iter().find(|needed| !command.asks_for(*needed)) {
            Some(missing) => Err(CommandError::Lacks { missing: missing.name() }),
            None => Ok(command),
        }
    }

    /// Whether a placeholder stands in it.
    pub fn asks_for(&self, placeholder: Placeholder) -> bool {
        let mut pieces = self.arguments.iter().chain([&self.program]).flatten();
        pieces.any(|piece| *piece == Piece::Asked(placeholder))
    }

    /// Its words with values in the place of placeholders. What a value holds is never read as a placeholder.
    pub fn filled(&self, value: impl Fn(Placeholder) -> OsString) -> Filled {
        let fill = |word: &Word| {
            let mut out = OsString::new();
            for piece in word {
                match piece {
                    Piece::Text(text) => out.push(text),
                    Piece::Asked(placeholder) => out.push(value(*placeholder)),
                }
            }
            out
        };
        Filled { program: fill(&self.program), arguments: self.arguments.iter().map(fill).collect() }
    }
}

fn words(text: &str) -> Result<Vec<Word>, CommandError> {
    let characters: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let (mut word, mut open, mut at) = (None::<Word>, None::<(char, usize)>, 0);
    while let Some(&c) = characters.get(at) {
        if let Some(found) = braced(&characters[at..]) {
            let known = Placeholder::ALL.into_iter().find(|known| known.name() == found);
            let length = found.chars().count();
            let asked = known.ok_or(CommandError::Unknown { found, at: at + 1 })?;
            word.get_or_insert_default().push(Piece::Asked(asked));
            at += length;
            continue;
        }
        match open {
            _ if c == '\0' => return Err(CommandError::Null { at: at + 1 }),
            Some((quote, _)) if c == quote => open = None,
            None if c == '"' || c == '\'' => {
                open = Some((c, at + 1));
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => out.extend(word.take()),
            _ => push(word.get_or_insert_default(), c),
        }
        at += 1;
    }
    if let Some((quote, at)) = open {
        return Err(CommandError::Unclosed { quote, at });
    }
    out.extend(word);
    Ok(out)
}

fn push(word: &mut Word, c: char) {
    match word.last_mut() {
        Some(Piece::Text(text)) => text.push(c),
        _ => word.push(Piece::Text(c.into())),
    }
}

/// A name in braces at the start of a text. Other braces, as JSON has them, are text.
fn braced(text: &[char]) -> Option<String> {
    let inside = text.strip_prefix(&['{'])?;
    let end = inside.iter().position(|c| *c == '}')?;
    let name: String = inside[..end].iter().collect();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    is_name(name.trim()).then(|| format!("{{{name}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Vec<OsString> {
        let Filled { program, arguments } =
            Command::parse(text).unwrap().filled(|p| format!("<{}{{index}}'>", p.name()).into());
        [vec![program], arguments].concat()
    }

    /// Values hold a placeholder and a quote: neither is read again.
    #[test]
    fn words_are_filled_in_one_pass() {
        assert_eq!(
            filled("python3  \"my train.py\" --a='b c'\t'' {mask}'{out}'"),
            ["python3", "my train.py", "--a=b c", "", "<{mask}{index}'><{out}{index}'>"]
        );
        assert_eq!(filled("x '{\"lr\": {seed}}' {mask} {out} {}")[1], "{\"lr\": <{seed}{index}'>}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |text: &str| Command::parse(text).unwrap_err();
        assert_eq!(wrong("sh \"é 'x' {mask} {out}"), CommandError::Unclosed { quote: '"', at: 4 });
        assert_eq!(wrong("x {mask} {out} it's"), CommandError::Unclosed { quote: '\'', at: 18 });
        for text in ["", " \t", "'' {mask} {out}", "\"\" {out} {mask}"] {
            assert_eq!(wrong(text), CommandError::NoProgram, "{text:?}");
        }
        assert_eq!(wrong("é {mask} {oot}"), CommandError::Unknown { found: "{oot}".into(), at: 10 });
        assert_eq!(wrong("x { mask } {out}"), CommandError::Unknown { found: "{ mask }".into(), at: 3 });
        assert_eq!(wrong("x {mask}"), CommandError::Lacks { missing: "{out}" });
        assert_eq!(wrong("x \0{mask} {out}"), CommandError::Null { at: 3 });
    }
}
