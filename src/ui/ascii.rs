//! Makes a drawn screen plain ASCII, cell by cell, so that nothing moves.

use ratatui::buffer::Buffer;

/// Replaces every symbol that is no ASCII by one that is, of the same width or with a blank behind it.
pub fn flatten(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let letter = cell.symbol().chars().next().map_or(' ', plain);
            cell.set_char(letter);
        }
    }
}

fn plain(letter: char) -> char {
    match letter {
        '─' | '–' | '·' => '-',
        '│' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' => '+',
        '≤' | '←' => '<',
        '→' => '>',
        '×' => 'x',
        '↻' => '=',
        '▲' | '↑' => '^',
        '▼' | '↓' => 'v',
        '…' => '.',
        '•' => '*',
        'µ' => 'u',
        _ => '?',
    }
}
