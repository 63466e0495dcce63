//! THEMES: a table of roles to styles for each theme. No other file names a color.
//!
//! `terminal` uses the 16 colors of the terminal and its background, so it is readable wherever the terminal is. No
//! meaning is carried by color alone: every role that matters has a sign or a word beside it, and `plain`, the theme
//! without color, tells them apart by bold, underlined, dim and reversed.

use crate::app::App;
use ratatui::style::{Color, Modifier, Style};

/// Defines [`Role`] with a list of its variants, and the theme `plain` with their styles.
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $style:expr),* $(,)?) => {
        /// What a text on the screen is, for which a theme has a style.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[$doc])* $role),* }

        impl Role {
            pub const ALL: &[Self] = &[$(Self::$role),*];
        }

        static PLAIN: Theme = Theme {
            name: "plain",
            base: None,
            styles: &[$((Role::$role, $style)),*],
        };
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

/// A theme: the styles in which it differs from its base. Only the theme without a base needs all roles.
#[derive(Debug)]
pub struct Theme {
    pub name: &'static str,
    base: Option<&'static Theme>,
    styles: &'static [(Role, Style)],
}

impl Theme {
    pub fn of(app: &App) -> &'static Self {
        let name = if app.settings.has_color {
            "terminal"
        } else {
            "plain"
        };
        Self::by_name(name).unwrap_or(&PLAIN)
    }

    pub fn by_name(name: &str) -> Option<&'static Self> {
        THEMES.iter().copied().find(|theme| theme.name == name)
    }

    pub fn style(&self, role: Role) -> Style {
        let own = self.styles.iter().find(|(of, _)| *of == role);
        let inherited = || self.base.map(|base| base.style(role));
        own.map(|(_, style)| *style)
            .or_else(inherited)
            .unwrap_or_default()
    }
}

pub static THEMES: &[&Theme] = &[&TERMINAL, &PLAIN];

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const UNDERLINED: Style = Style::new().add_modifier(Modifier::UNDERLINED);

static TERMINAL: Theme = Theme {
    name: "terminal",
    base: Some(&PLAIN),
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
};

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
    fn no_theme_sets_a_background_and_plain_no_color() {
        for theme in THEMES {
            for role in Role::ALL {
                let Style { fg, bg, .. } = theme.style(*role);
                assert_eq!(bg, None, "{} {role:?}", theme.name);
                let yellow = [Some(Color::Yellow), Some(Color::LightYellow)];
                assert!(!yellow.contains(&fg), "{} {role:?}", theme.name);
                assert!(theme.name != "plain" || fg.is_none(), "{role:?}");
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
        let styles: HashSet<Style> = roles.map(|role| PLAIN.style(role)).into();
        assert_eq!(styles.len(), roles.len());
    }
}
