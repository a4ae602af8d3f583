//! Executes a plan: workers, events, progress, resume
