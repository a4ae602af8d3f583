//! ROC measures, intervals and paired tests
