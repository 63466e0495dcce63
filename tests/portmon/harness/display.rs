//! The content of a terminal: its text, its rows of sockets, its cursor line.

use std::fmt;

use vt100::{Cell, MouseProtocolMode, Screen};

/// The terminal at one moment.
pub struct Display {
    screen: Screen,
    clipboard: Option<Vec<u8>>,
    is_reporting_focus: bool,
}

/// A line of the table that shows a socket.
#[derive(Debug)]
pub struct ScreenRow {
    pub line: u16,
    /// Sign in the gutter.
    pub mark: Option<char>,
    pub port: u16,
    /// Text of the line from the port on.
    pub text: String,
    pub is_selected: bool,
}

impl Display {
    pub fn new(screen: Screen, clipboard: Option<Vec<u8>>, is_reporting_focus: bool) -> Self {
        Self {
            screen,
            clipboard,
            is_reporting_focus,
        }
    }

    /// Columns and lines.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.screen.size();
        (columns.get(), rows.get())
    }

    pub fn cell(&self, line: u16, column: u16) -> Option<&Cell> {
        self.screen.cell(line, column)
    }

    pub fn lines(&self) -> Vec<String> {
        (0..self.size().1).map(|line| self.line(line)).collect()
    }

    /// Text of a line, one character per cell.
    fn line(&self, line: u16) -> String {
        (0..self.size().0)
            .filter_map(|column| self.cell(line, column))
            .map(|cell| cell.contents().chars().next().unwrap_or(' '))
            .collect()
    }

    pub fn contains(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Returns whether the dialog, or else the screen, has `words`, wherever its lines are wrapped.
    pub fn says(&self, words: &str) -> bool {
        self.prose().contains(words)
    }

    /// The text as one line; of a box only the inside.
    pub fn prose(&self) -> String {
        let lines = self.lines();
        let inside = lines.iter().map(|line| {
            let mut parts = line.splitn(2, ['│', '|']);
            let before = parts.next().unwrap_or_default();
            let after = parts.next().and_then(|rest| rest.rsplit_once(['│', '|']));
            after.map_or(before, |(inside, _)| inside)
        });
        let words: Vec<&str> = inside.flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    /// Returns whether `button` is on the screen and nowhere dim.
    pub fn is_armed(&self, button: &str) -> bool {
        let mut places = self.places_of(button).peekable();
        places.peek().is_some() && !places.flatten().any(Cell::dim)
    }

    /// The cells of each occurrence of `text`, without blanks.
    fn places_of(&self, text: &str) -> impl Iterator<Item = Vec<&Cell>> {
        let letters: Vec<char> = text.chars().collect();
        (0..self.size().1).flat_map(move |line| {
            let cells: Vec<char> = self.line(line).chars().collect();
            let starts = (0..).zip(cells.windows(letters.len()));
            let found = starts.filter(|(_, window)| *window == letters);
            let place = found.map(|(start, window)| {
                let columns = (start..).zip(window).filter(|(_, letter)| **letter != ' ');
                columns
                    .filter_map(|(column, _)| self.cell(line, column))
                    .collect()
            });
            place.collect::<Vec<_>>()
        })
    }

    /// Rows of the table, from top to bottom.
    pub fn rows(&self) -> Vec<ScreenRow> {
        (0..self.size().1)
            .filter_map(|line| self.row_in(line))
            .collect()
    }

    pub fn row(&self, port: u16) -> Option<ScreenRow> {
        self.rows().into_iter().find(|row| row.port == port)
    }

    pub fn shows(&self, port: u16) -> bool {
        self.row(port).is_some()
    }

    /// Ports of the rows, from top to bottom.
    pub fn ports(&self) -> Vec<u16> {
        self.rows().iter().map(|row| row.port).collect()
    }

    pub fn selected(&self) -> Option<u16> {
        let row = self.rows().into_iter().find(|row| row.is_selected)?;
        Some(row.port)
    }

    fn row_in(&self, line: u16) -> Option<ScreenRow> {
        let content = self.line(line);
        let gutter: String = content
            .chars()
            .take_while(|c| !c.is_ascii_digit())
            .collect();
        let marks: Vec<char> = gutter.chars().filter(|c| *c != ' ').collect();
        let text = content.get(gutter.len()..)?.trim_end();
        let (port, rest) = text.split_once(' ')?;
        let address = rest.split_whitespace().next()?;
        let column = u16::try_from(gutter.chars().count()).ok()?;
        let is_row = column < 8
            && marks.iter().all(|mark| "+~-↻=*>▌".contains(*mark))
            && address.contains(['.', ':', '*']);
        is_row.then_some(())?;
        Some(ScreenRow {
            line,
            mark: marks.last().copied(),
            port: port.parse().ok()?,
            text: text.to_owned(),
            is_selected: self.cell(line, column)?.inverse(),
        })
    }

    /// The line of the terminal's cursor.
    pub fn cursor_line(&self) -> String {
        let (line, _) = self.screen.cursor_position();
        self.line(line).trim_end().to_owned()
    }

    pub fn is_bracketing_pastes(&self) -> bool {
        self.screen.bracketed_paste()
    }

    /// Returns whether the program asked for focus reports (DECSET 1004).
    pub fn is_reporting_focus(&self) -> bool {
        self.is_reporting_focus
    }

    pub fn is_alternate(&self) -> bool {
        self.screen.alternate_screen()
    }

    /// Last text copied (OSC 52), in base64.
    pub fn clipboard(&self) -> Option<&[u8]> {
        self.clipboard.as_deref()
    }

    /// Last text copied, decoded (RFC 4648, section 4).
    pub fn clipboard_text(&self) -> String {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let value = |letter: &u8| digits.iter().position(|digit| digit == letter);
        let letters: Vec<usize> = self
            .clipboard()
            .iter()
            .flat_map(|text| text.iter())
            .filter_map(value)
            .collect();
        let bytes = letters.chunks(4).flat_map(|group| {
            let bits = group.iter().fold(0, |bits, six| bits << 6 | six) << (6 * (4 - group.len()));
            let bytes =
                [bits >> 16, bits >> 8, bits].map(|byte| u8::try_from(byte & 0xff).unwrap_or(0));
            bytes.into_iter().take(group.len() * 6 / 8)
        });
        String::from_utf8(bytes.collect()).expect("text")
    }

    /// Modes that a program has set and not reset.
    pub fn leftovers(&self) -> Vec<&'static str> {
        let has_mouse = self.screen.mouse_protocol_mode() != MouseProtocolMode::None;
        [
            (self.is_alternate(), "alternate screen"),
            (self.screen.hide_cursor(), "hidden cursor"),
            (self.is_bracketing_pastes(), "bracketed paste"),
            (self.is_reporting_focus, "focus reports"),
            (has_mouse, "mouse"),
            (self.screen.application_cursor(), "application cursor"),
            (self.screen.application_keypad(), "application keypad"),
            (self.screen.inverse(), "reverse video"),
            (self.screen.bold(), "bold"),
        ]
        .into_iter()
        .filter_map(|(is_left, name)| is_left.then_some(name))
        .collect()
    }
}

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (columns, lines) = self.size();
        writeln!(f, "{columns}x{lines}")?;
        for line in self.lines() {
            writeln!(f, "|{}", line.trim_end())?;
        }
        Ok(())
    }
}
