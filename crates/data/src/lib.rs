//! Data sets: readers and the embedded default
