//! What the README promises.

use std::fs;

#[test]
fn the_readme_names_the_two_commands_that_run_it_and_its_tests() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = fs::read_to_string(readme).expect(readme);
    for command in ["cargo run --release", "cargo test"] {
        assert!(text.contains(command), "{command:?} is missing");
    }
}
