//! Renders results: JSON, terminal table, one HTML file
