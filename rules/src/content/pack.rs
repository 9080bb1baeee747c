//! Packs: texts in, entries and faults out.
//!
//! Keeps true: a [`Pack`] that was made by [`read`] is within its limits and refers to nothing that
//! is not there; a fault in one entry hides no fault of another, and names file and line.
//! Leaves out on purpose: reading folders, and what is checked, which stands in `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::check::{Offence, check};
use super::entry::{Entry, Kind};
use super::{
    AbilityDef, ArmorDef, BackgroundDef, BoardDef, CampDef, ClassDef, CreatureDef, ENTRIES_MAX,
    FeatureDef, FilterWordDef, GatherNodeDef, ItemDef, LevelDef, LootTableDef, Pack, RaceDef,
    RecipeDef, SettingDef, SwitchDef, VendorDef, WeaponDef, limits,
};

/// Longest part of a broken key that a fault repeats, characters.
const SHOWN_CHARS_MAX: usize = 64;

/// A file of a pack.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What it is called, for faults; files are merged in the order of their names.
    pub file: &'a str,
    /// TOML: arrays of tables that are called as [`Pack`]'s fields.
    pub text: &'a str,
}

/// Something that is wrong with a pack, for whoever writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file; empty where it is about the pack as a whole.
    pub file: String,
    /// The line, from 1; 0 where it is about the file or the pack as a whole.
    pub line: u32,
    /// The entry, as in `ability fire_bolt`; empty where it is about none.
    pub entry: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, entry, problem } = self;
        f.write_str(if file.is_empty() { "the pack" } else { file })?;
        if *line > 0 {
            write!(f, ":{line}")?;
        }
        if !entry.is_empty() {
            write!(f, ": {entry}")?;
        }
        write!(f, ": {problem}")
    }
}

impl std::error::Error for Fault {}

/// Reads a pack and checks all of it.
///
/// # Errors
/// Every fault there is, by file and line: what is no TOML, what is no entry, what is out of its
/// limits, what refers to nothing.
pub fn read(sources: &[Source<'_>]) -> Result<Pack, Vec<Fault>> {
    let mut sources = sources.to_vec();
    sources.sort_by_key(|source| source.file);
    let mut reader = Reader::default();
    if sources.len() > limits::FILES_MAX {
        let problem = format!("has {} files, at most {}", sources.len(), limits::FILES_MAX);
        reader.faults.push(Fault { file: String::new(), line: 0, entry: String::new(), problem });
        sources.truncate(limits::FILES_MAX);
    }
    for source in sources {
        reader.source(source);
    }
    for offence in check(&reader.pack, &reader.broken) {
        let fault = reader.fault_of(offence);
        reader.faults.push(fault);
    }
    reader.faults.sort();
    if reader.faults.is_empty() { Ok(reader.pack) } else { Err(reader.faults) }
}

/// Where an entry stands.
#[derive(Default)]
struct Place {
    file: String,
    line: u32,
    /// Lines of fields by their path, as `effects[0].dice`.
    fields: BTreeMap<String, u32>,
}

impl Place {
    /// The line of a path, or of the nearest around it that is written out.
    fn line_of(&self, path: &str) -> u32 {
        let mut path = path;
        loop {
            match (self.fields.get(path), path.rfind(['.', '['])) {
                (Some(line), _) => return *line,
                (None, Some(end)) => path = &path[..end],
                (None, None) => return self.line,
            }
        }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte, from 1.
    fn at(&self, byte: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= byte)).unwrap_or(u32::MAX)
    }
}

/// A file while it is read.
struct File<'a> {
    name: &'a str,
    lines: Lines,
}

#[derive(Default)]
struct Reader {
    pack: Pack,
    places: BTreeMap<(Kind, usize), Place>,
    /// Keys of entries that could not be read, so that whoever refers to them is not blamed.
    broken: BTreeSet<(Kind, String)>,
    faults: Vec<Fault>,
}

impl Reader {
    fn source(&mut self, source: Source<'_>) {
        let file = File { name: source.file, lines: Lines::new(source.text) };
        if source.text.len() > limits::FILE_BYTES_MAX {
            let bytes = source.text.len();
            let problem = format!("has {bytes} bytes, at most {}", limits::FILE_BYTES_MAX);
            self.fault(&file, 0, "", problem);
            return;
        }
        match DeTable::parse(source.text) {
            Ok(table) => self.table(&file, table.into_inner()),
            Err(error) => {
                let line = error.span().map_or(0, |span| file.lines.at(span.start));
                self.fault(&file, line, "", one_line(error.message()));
            }
        }
    }

    fn table(&mut self, file: &File<'_>, table: DeTable<'_>) {
        for (word, list) in table {
            let line = file.lines.at(word.span().start);
            let kind = Kind::ALL.iter().find(|kind| kind.word() == word.get_ref().as_ref());
            let DeValue::Array(list) = list.into_inner() else {
                let problem = format!("{} is not written as [[…]]", shown(word.get_ref()));
                self.fault(file, line, "", problem);
                continue;
            };
            let Some(kind) = kind else {
                let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
                let word = shown(word.get_ref());
                let problem = format!("there is no kind {word}, but {}", words.join(", "));
                self.fault(file, line, "", problem);
                continue;
            };
            for value in list {
                match kind {
                    Kind::Race => self.entry::<RaceDef>(file, value),
                    Kind::Class => self.entry::<ClassDef>(file, value),
                    Kind::Background => self.entry::<BackgroundDef>(file, value),
                    Kind::Feature => self.entry::<FeatureDef>(file, value),
                    Kind::Ability => self.entry::<AbilityDef>(file, value),
                    Kind::Creature => self.entry::<CreatureDef>(file, value),
                    Kind::Weapon => self.entry::<WeaponDef>(file, value),
                    Kind::Armor => self.entry::<ArmorDef>(file, value),
                    Kind::Camp => self.entry::<CampDef>(file, value),
                    Kind::Item => self.entry::<ItemDef>(file, value),
                    Kind::LootTable => self.entry::<LootTableDef>(file, value),
                    Kind::Recipe => self.entry::<RecipeDef>(file, value),
                    Kind::GatherNode => self.entry::<GatherNodeDef>(file, value),
                    Kind::Board => self.entry::<BoardDef>(file, value),
                    Kind::Level => self.entry::<LevelDef>(file, value),
                    Kind::Vendor => self.entry::<VendorDef>(file, value),
                    Kind::Setting => self.entry::<SettingDef>(file, value),
                    Kind::Switch => self.entry::<SwitchDef>(file, value),
                    Kind::FilterWord => self.entry::<FilterWordDef>(file, value),
                }
            }
        }
    }

    fn entry<T: Entry>(&mut self, file: &File<'_>, value: Spanned<DeValue<'_>>) {
        let line = file.lines.at(value.span().start);
        let index = T::list(&self.pack).len();
        if index >= ENTRIES_MAX {
            let problem = format!("is one more than {ENTRIES_MAX}, the most of a kind");
            self.fault(file, line, &entry_name(T::KIND, value.get_ref()), problem);
            return;
        }
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(entry) => {
                let mut place = Place { file: file.name.to_owned(), line, ..Place::default() };
                lines_of(file, value.get_ref(), "", &mut place.fields);
                T::list_mut(&mut self.pack).push(entry);
                self.places.insert((T::KIND, index), place);
            }
            Err(_) => self.broken_entry::<T>(file, value),
        }
    }

    /// Finds every field that cannot be read: whichever one is complained of is taken out, and the
    /// rest is tried again.
    fn broken_entry<T: Entry>(&mut self, file: &File<'_>, mut value: Spanned<DeValue<'_>>) {
        let name = entry_name(T::KIND, value.get_ref());
        self.broken.insert((T::KIND, raw_key(value.get_ref()).unwrap_or_default()));
        let mut taken: Vec<String> = Vec::new();
        while let Err(error) = T::deserialize(ValueDeserializer::from(value.clone())) {
            let is_taken = |field: &String| error.message() == format!("missing field `{field}`");
            if taken.iter().any(is_taken) {
                break;
            }
            let span = error.span().unwrap_or(value.span());
            let field = field_at(value.get_ref(), &span);
            let message = one_line(error.message());
            let problem = match &field {
                Some(field) if !message.contains(&format!("`{field}`")) => {
                    format!("{}: {message}", shown(field))
                }
                Some(_) | None => message,
            };
            self.fault(file, file.lines.at(span.start), &name, problem);
            let (Some(field), DeValue::Table(table)) = (field, value.get_mut()) else { break };
            table.remove(field.as_str());
            taken.push(field);
        }
    }

    fn fault(&mut self, file: &File<'_>, line: u32, entry: &str, problem: String) {
        let (file, entry) = (file.name.to_owned(), entry.to_owned());
        self.faults.push(Fault { file, line, entry, problem });
    }

    /// An offence with its file and line.
    fn fault_of(&self, offence: Offence) -> Fault {
        let Offence { kind, key, index, path, problem } = offence;
        let place = index.and_then(|index| self.places.get(&(kind, index)));
        let entry = format!("{} {}", kind.word(), shown(&key)).trim_end().to_owned();
        let problem = format!("{path} {problem}").trim_start().to_owned();
        match place {
            Some(place) => {
                Fault { file: place.file.clone(), line: place.line_of(&path), entry, problem }
            }
            None => Fault { file: String::new(), line: 0, entry, problem },
        }
    }
}

/// Notes the line of every field within a value.
fn lines_of(file: &File<'_>, value: &DeValue<'_>, path: &str, lines: &mut BTreeMap<String, u32>) {
    if let DeValue::Table(table) = value {
        for (name, value) in table {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", name.get_ref());
            lines_of(file, value.get_ref(), &path, lines);
            lines.insert(path, file.lines.at(name.span().start));
        }
    } else if let DeValue::Array(array) = value {
        for (index, value) in array.iter().enumerate() {
            let path = format!("{path}[{index}]");
            lines_of(file, value.get_ref(), &path, lines);
            lines.insert(path, file.lines.at(value.span().start));
        }
    }
}

/// The field of an entry in which a span begins.
fn field_at(value: &DeValue<'_>, span: &Range<usize>) -> Option<String> {
    let table = value.as_table()?;
    let is_within = |whole: Range<usize>| whole.contains(&span.start) && span.end <= whole.end;
    let found =
        table.iter().find(|(name, value)| is_within(name.span()) || is_within(value.span()));
    found.map(|(name, _)| name.get_ref().clone().into_owned())
}

/// The key of an entry that may not be one.
fn raw_key(value: &DeValue<'_>) -> Option<String> {
    let table = value.as_table()?;
    let text = table.get("key").and_then(|key| key.get_ref().as_str());
    let level = || table.get("level").and_then(|level| level.get_ref().as_integer());
    text.map_or_else(
        || level().map(|level| level.as_str().to_owned()),
        |text| Some(text.to_owned()),
    )
}

fn entry_name(kind: Kind, value: &DeValue<'_>) -> String {
    let key = raw_key(value).unwrap_or_else(|| "without a key".to_owned());
    format!("{} {}", kind.word(), shown(&key))
}

/// As much of a text as stands on one line of a fault.
fn shown(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(SHOWN_CHARS_MAX).collect()
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(", ")
}
