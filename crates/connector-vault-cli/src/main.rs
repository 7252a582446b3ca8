//! `cvault`: connector vaults from the command line.

fn main() {}
