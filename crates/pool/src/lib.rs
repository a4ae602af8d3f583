//! Membership design, signals and the pool that every analysis reads
