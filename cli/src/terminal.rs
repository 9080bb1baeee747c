//! What the user sees: colours where a terminal is, tables, spinners and progress bars.
//!
//! Keeps true: results go to standard output, all else to standard error; `NO_COLOR` and pipes get
//! plain text; bars appear only on a terminal.

use std::borrow::Cow;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

/// Headings and names.
pub(crate) const BOLD: Style = Style::new().bold();
/// What can be typed or opened.
pub(crate) const LINK: Style = AnsiColor::Cyan.on_default();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Less important than the rest.
pub(crate) const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The one line a failed command leaves.
pub(crate) fn error(message: &str) {
    let line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    anstream::eprintln!("{BAD}error:{BAD:#} {line}");
}

/// A line about something that is done.
pub(crate) fn done(message: &str) {
    anstream::println!("{GOOD}✓{GOOD:#} {message}");
}

/// A hint on standard error.
pub(crate) fn note(message: &str) {
    anstream::eprintln!("{DIM}{message}{DIM:#}");
}

/// A spinner that says what is under way; nothing where no terminal is.
pub(crate) fn spinner(message: impl Into<Cow<'static, str>>) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style).with_message(message);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar over a known number of steps.
pub(crate) fn progress(steps: u64, message: impl Into<Cow<'static, str>>) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:<9} {bar:32.cyan/dim} {pos}/{len} {elapsed:.dim}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style).with_message(message)
}

/// Rows as aligned columns under a heading; a column that holds only numbers is aligned right.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut lines = vec![String::new(); rows.len() + 1];
    for (column, name) in heading.iter().enumerate() {
        let cell = |row: &Vec<String>| row.get(column).cloned().unwrap_or_default();
        let cells: Vec<String> = rows.iter().map(cell).collect();
        let widest = cells.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        let width = widest.max(name.chars().count());
        let number = |text: &String| text == "–" || text.parse::<f64>().is_ok();
        let right = !cells.is_empty() && cells.iter().all(number);
        let pad = |text: &str| {
            if right { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let gap = if column == 0 { "" } else { "  " };
        lines[0].extend([gap, &format!("{BOLD}{}{BOLD:#}", pad(name))]);
        for (line, text) in lines[1..].iter_mut().zip(&cells) {
            line.extend([gap, &pad(text)]);
        }
    }
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_words_left() {
        let rows =
            [vec!["one".to_owned(), "1".to_owned()], vec!["three".to_owned(), "1000".to_owned()]];
        let plain = anstream::adapter::strip_str(&table(&["case", "n"], &rows)).to_string();
        assert_eq!(plain, "case      n\none       1\nthree  1000\n");
    }
}
