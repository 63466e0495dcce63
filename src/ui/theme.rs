//! THEMES: colours by role. No other file names a colour.
//!
//! The first theme uses the terminal's own 16 colours and its own background, so it is readable wherever the terminal
//! is. No meaning is carried by colour alone: every role that matters has a glyph or a word beside it, and the theme
//! without colour tells them apart by bold, underlined, dim and reverse.

use crate::app::App;
use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Plain,
    /// The program's name and the titles of boxes.
    Title,
    /// What explains and may be overlooked.
    Dim,
    /// Column headings.
    Heading,
    /// A chip or button that is on or has the focus.
    Active,
    /// The row under the cursor.
    Cursor,
    OpenedMark,
    ChangedMark,
    ClosedMark,
    /// The whole row of each.
    OpenedRow,
    ChangedRow,
    ClosedRow,
    /// Reachable by others, or one number held twice.
    Warning,
    /// What went wrong.
    Error,
    /// The place in a filter that is wrong.
    Fault,
    /// A verdict that is good.
    Good,
    Key,
    Border,
}

#[derive(Debug)]
pub struct Theme {
    pub name: &'static str,
    styles: fn(Role) -> Style,
}

impl Theme {
    pub fn of(app: &App) -> &'static Self {
        let [terminal, plain] = &THEMES;
        if app.settings.has_color {
            terminal
        } else {
            plain
        }
    }

    pub fn style(&self, role: Role) -> Style {
        (self.styles)(role)
    }
}

pub static THEMES: [Theme; 2] = [
    Theme {
        name: "terminal",
        styles: of_terminal,
    },
    Theme {
        name: "plain",
        styles: of_plain,
    },
];

fn of_terminal(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::OpenedMark | Role::Good => plain.fg(Color::Green).add_modifier(Modifier::BOLD),
        Role::ClosedMark => plain.fg(Color::Red),
        Role::Warning | Role::Error => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Fault => plain.fg(Color::Red).add_modifier(Modifier::UNDERLINED),
        Role::ChangedMark => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Key | Role::Title => plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
        role => of_plain(role),
    }
}

fn of_plain(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Plain => plain,
        Role::Title
        | Role::Key
        | Role::Heading
        | Role::Active
        | Role::OpenedMark
        | Role::OpenedRow
        | Role::Warning
        | Role::Error
        | Role::Good => plain.add_modifier(Modifier::BOLD),
        Role::Cursor => plain.add_modifier(Modifier::REVERSED),
        Role::ChangedMark | Role::ChangedRow | Role::Fault => {
            plain.add_modifier(Modifier::UNDERLINED)
        }
        Role::Dim | Role::ClosedMark | Role::ClosedRow | Role::Border => {
            plain.add_modifier(Modifier::DIM)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 18] = [
        Role::Plain,
        Role::Title,
        Role::Dim,
        Role::Heading,
        Role::Active,
        Role::Cursor,
        Role::OpenedMark,
        Role::ChangedMark,
        Role::ClosedMark,
        Role::OpenedRow,
        Role::ChangedRow,
        Role::ClosedRow,
        Role::Warning,
        Role::Error,
        Role::Fault,
        Role::Good,
        Role::Key,
        Role::Border,
    ];

    #[test]
    fn without_color_no_role_sets_one() {
        for role in ROLES {
            let style = of_plain(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn no_theme_paints_a_background_or_yellow_text() {
        for (theme, role) in THEMES
            .iter()
            .flat_map(|theme| ROLES.map(|role| (theme, role)))
        {
            let style = theme.style(role);
            assert_eq!(style.bg, None, "{} {role:?}", theme.name);
            assert!(
                !matches!(style.fg, Some(Color::Yellow | Color::LightYellow)),
                "{} {role:?}",
                theme.name
            );
        }
    }

    #[test]
    fn opened_changed_and_closed_differ_without_color() {
        let styles = [
            Role::OpenedRow,
            Role::ChangedRow,
            Role::ClosedRow,
            Role::Plain,
        ]
        .map(of_plain);
        for (place, style) in styles.iter().enumerate() {
            assert!(!styles[..place].contains(style));
        }
    }
}
