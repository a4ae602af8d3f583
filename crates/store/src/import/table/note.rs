//! What was seen of a table, in one line.

use super::arrange::Arranged;
use super::rows::Rows;

/// Columns that are told by name.
const TOLD: usize = 8;

/// "(M=16, N=120, C=4) logits from the columns logit_0 to logit_3; models 0 to 15; ...; unused: ...".
pub(super) fn seen(rows: &Rows, arranged: &Arranged) -> String {
    let columns = &rows.columns;
    let [m, n, q] = arranged.pool.shape;
    let mut sizes = vec![format!("M={m}"), format!("N={n}")];
    sizes.extend((q > 1).then(|| format!("Q={q}")));
    sizes.extend((rows.width > 1).then(|| format!("C={}", rows.width)));
    let name = |at: &usize| columns.names[*at].as_str();
    let from = match columns.outputs.at.as_slice() {
        [one] => format!("the column {}", name(one)),
        [first, .., last] => format!("the columns {} to {}", name(first), name(last)),
        [] => "no column".into(),
    };
    let ends = |what: &str, column: usize, order: &[u32], names: &super::natural::Names| {
        let ends = [order.first(), order.last()].map(|n| n.map_or(String::new(), |n| names.get(*n).0.to_string()));
        format!("{what} from {}, {} to {}", columns.names[column], ends[0], ends[1])
    };
    let mut parts = vec![
        format!("({}) {} from {from}", sizes.join(", "), columns.given.name()),
        ends("models", columns.model, &arranged.models.order, &rows.models),
        ends("examples", columns.example, &arranged.pool.examples.order, &rows.examples),
        format!("membership from {}, {}", columns.names[columns.member.0], rows.words.taken(&arranged.sides)),
    ];
    parts.extend(columns.label.map(|at| format!("labels from {}", columns.names[at])));
    if let Some(test) = &arranged.held_out {
        parts.push(format!("{} held-out examples", test.shape[1]));
    }
    if !columns.unused.is_empty() {
        let more = columns.unused.len().saturating_sub(TOLD);
        let told = columns.unused.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
        parts.push(if more > 0 { format!("unused: {told} and {more} more") } else { format!("unused: {told}") });
    }
    parts.join("; ")
}
