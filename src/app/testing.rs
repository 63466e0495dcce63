//! An app for tests, fed by hand.
