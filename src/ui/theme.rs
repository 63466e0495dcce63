//! THEMES: how each role looks. No other file names a color.
//!
//! A theme is an entry in THEMES, a role an entry in `roles!`. No meaning is carried by color alone: every role that
//! matters has a sign or a word beside it, and `plain`, the theme without color, tells roles apart by bold, underlined,
//! dim and reversed.

use crate::app::App;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use std::borrow::Cow;

/// Defines [`Role`] and the style of each without color.
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $style:expr),* $(,)?) => {
        /// What a text on the screen is, for which a theme has a style.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[$doc])* $role),* }

        impl Role {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$role),*];

            fn plain(self) -> Style {
                match self { $(Self::$role => $style),* }
            }
        }
    };
}

roles! {
    Plain = Style::new(),
    /// The name of the program and the titles of boxes.
    Title = BOLD,
    /// Explanations, labels, what may be overlooked.
    Dim = DIM,
    /// Column headings.
    Heading = BOLD,
    /// A chip or button that is on or has the focus.
    Active = BOLD,
    /// The row under the cursor.
    Cursor = Style::new().add_modifier(Modifier::REVERSED),
    OpenedMark = BOLD,
    ChangedMark = UNDERLINED,
    ClosedMark = DIM,
    /// The whole row of each.
    OpenedRow = BOLD,
    ChangedRow = UNDERLINED,
    ClosedRow = DIM,
    /// Reachable from the network, or one port number used twice.
    Warning = BOLD,
    Error = BOLD,
    /// The invalid part of a filter.
    Fault = UNDERLINED,
    /// A good verdict.
    Good = BOLD,
    Key = BOLD,
    Border = DIM,
}

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const UNDERLINED: Style = Style::new().add_modifier(Modifier::UNDERLINED);

#[derive(Debug)]
pub struct Theme {
    pub name: &'static str,
    /// Styles that differ from those without color.
    styles: &'static [(Role, Style)],
}

/// The settings name the one that is used.
pub static THEMES: &[Theme] = &[
    // With the terminal's own 16 colors on its own background, it is readable wherever the terminal is.
    Theme {
        name: "auto",
        styles: &[
            (Role::Title, BOLD.fg(Color::Magenta)),
            (Role::Key, BOLD.fg(Color::Magenta)),
            (Role::OpenedMark, BOLD.fg(Color::Green)),
            (Role::ChangedMark, BOLD.fg(Color::Cyan)),
            (Role::ClosedMark, Style::new().fg(Color::Red)),
            (Role::Warning, BOLD.fg(Color::Red)),
            (Role::Error, BOLD.fg(Color::Red)),
            (Role::Fault, UNDERLINED.fg(Color::Red)),
            (Role::Good, BOLD.fg(Color::Green)),
        ],
    },
    MONO,
];

const MONO: Theme = Theme {
    name: "mono",
    styles: &[],
};

impl Theme {
    pub fn of(app: &App) -> &'static Self {
        let mut themes = THEMES.iter();
        let named = themes.find(|theme| theme.name == app.settings.theme);
        named.unwrap_or(&MONO)
    }

    pub fn style(&self, role: Role) -> Style {
        let own = self.styles.iter().find(|(of, _)| *of == role);
        own.map_or_else(|| role.plain(), |(_, style)| *style)
    }

    pub fn span<'a>(&self, role: Role, text: impl Into<Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.style(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_theme_has_its_own_name() {
        let names: HashSet<&str> = THEMES.iter().map(|theme| theme.name).collect();
        assert_eq!(names.len(), THEMES.len());
    }

    #[test]
    fn no_theme_sets_a_background_and_mono_no_color() {
        for theme in THEMES {
            for role in Role::ALL {
                let Style { fg, bg, .. } = theme.style(*role);
                assert_eq!(bg, None, "{} {role:?}", theme.name);
                let yellow = [Some(Color::Yellow), Some(Color::LightYellow)];
                assert!(!yellow.contains(&fg), "{} {role:?}", theme.name);
                assert!(theme.name != "mono" || fg.is_none(), "{role:?}");
            }
        }
    }

    #[test]
    fn opened_changed_and_closed_differ_without_color() {
        let roles = [
            Role::OpenedRow,
            Role::ChangedRow,
            Role::ClosedRow,
            Role::Plain,
        ];
        let styles: HashSet<Style> = roles.map(|role| MONO.style(role)).into();
        assert_eq!(styles.len(), roles.len());
    }
}
