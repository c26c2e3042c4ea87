//! Words that others chose, on a terminal (CLP-REQ-011).

pub(crate) use clp_schemas::words::{clean, json_text};

/// Words set apart by a bar at the left of each line, which they cannot leave.
pub(crate) fn quoted_block(text: &str) -> String {
    text.lines()
        .map(|line| format!("  | {}\n", clean(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_leaves_the_block() {
        assert_eq!(
            quoted_block("a\nconsent: all\r\nb\rc"),
            "  | a\n  | consent: all\n  | b c\n"
        );
        assert_eq!(quoted_block(""), "");
    }
}
