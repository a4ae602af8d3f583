//! What readers of tables have in common: which column is what, and numbers for names.

/// Names that make a column the label.
pub(crate) const LABELS: [&str; 4] = ["label", "class", "target", "y"];
/// Names that make a column the group.
pub(crate) const GROUPS: [&str; 2] = ["group", "groups"];

/// A table with its labels and groups numbered in the order of their sorted names.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Values per row.
    pub columns: usize,
    /// (rows, columns).
    pub values: Vec<f32>,
    /// Class of each row.
    pub labels: Vec<u32>,
    /// Group of each row, where there is such a column.
    pub groups: Option<Vec<u32>>,
    /// Names of the groups.
    pub group_names: Vec<String>,
}

/// The first column that one of `names` names, whatever its case.
pub(crate) fn role(head: &[String], names: &[&str]) -> Option<usize> {
    head.iter().position(|h| names.contains(&h.to_ascii_lowercase().as_str()))
}

/// Numbers for names, by their order as whole numbers where all are, else as text.
pub(crate) fn numbered(names: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut distinct = names.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.iter().all(|n| n.parse::<i64>().is_ok()) {
        distinct.sort_by_key(|n| n.parse::<i64>().unwrap_or(0));
    }
    let position: std::collections::HashMap<&str, u32> = distinct.iter().map(String::as_str).zip(0..).collect();
    (names.iter().map(|n| position[n.as_str()]).collect(), distinct)
}
